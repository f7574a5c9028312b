/**
 * Shapes of layers whose neurons lie in space: [height, width, channels], [length, channels], or [neurons] where there
 * are no neighbours. Channels lie last: neuron (y, x, c) has the index (y width + x) channels + c.
 */
export type Shape = readonly number[];

export const sizeOf = (shape: Shape): number => shape.reduce((product, extent) => product * extent, 1);

/** Extents without the channels; none where there are no neighbours. */
export const spaceOf = (shape: Shape): Shape => shape.slice(0, -1);

export const channelsOf = (shape: Shape): number => shape[shape.length - 1];

export const shapeText = (shape: Shape): string => shape.join(" x ");
