/** A user's connectivity: every neuron reaches its 20 followers on a ring, with weights of both signs. */
export function ring(source, { neurons }) {
  const targets = Uint32Array.from({ length: 20 }, (_, i) => (source + 1 + i) % neurons);
  return { targets, weights: Float32Array.from(targets, (target) => 0.4 * Math.sin(source + 3 * target)) };
}

/** A neuron of which the network has none. */
export function tooFar(_source, { neurons }) {
  return { targets: Uint32Array.of(neurons), weights: Float32Array.of(1) };
}
