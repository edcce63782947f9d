import { type DescriptorReviewer, reviewDescriptor } from '../plugins/review/reviewer.js';

/** Reviews in this thread, in a later turn: for tests whose descriptors are harmless and whose clock is simulated. */
export const inlineReviewer: DescriptorReviewer = {
  review: async (request) => reviewDescriptor(request),
  close: async () => {},
};
