/**
 * The conditions of the heterogeneity study (Perez-Nieves, Leung, Dragotti & Goodman, Nat. Commun. 12:5791, 2021): how time
 * constants of membranes and synapses start, and what is trained besides the weights.
 *
 *   start  hom       one value for all neurons: that of the experiment, or the model's default
 *          het       drawn for every neuron from a gamma distribution of shape 3 with that value as its mean
 *   train  standard  the weights alone
 *          het       every neuron's time constants too
 *          shared    one time constant for all neurons of a layer: the control for "it only needed a better value"
 */
export const heterogeneityWords = ["hom/standard", "het/standard", "hom/het", "het/het", "hom/shared"] as const;
export type Heterogeneity = (typeof heterogeneityWords)[number];
