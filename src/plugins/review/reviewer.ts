import { AppError, type ErrorEnvelope, toAppError } from '../../kernel/errors.js';
import type { Descriptor } from '../descriptor.js';
import { compareDescriptors, type DescriptorDifference } from '../descriptor-difference.js';
import { below } from '../plugin-errors.js';
import { ValidatorCache } from '../validators.js';

/** What a descriptor is to be looked at for. */
export interface ReviewRequest {
  /** What it is compared with, if anything was approved before. */
  readonly before?: Descriptor;
  readonly after: Descriptor;
}

/** What a look at a descriptor that a stranger wrote has shown. */
export interface Review {
  /** How it differs from the one before. */
  readonly difference?: DescriptorDifference;
  /** Why its schemas are refused; left out when both compile. */
  readonly refusal?: ErrorEnvelope;
}

/** Looks at descriptors that strangers wrote, somewhere where they can do no harm. */
export interface DescriptorReviewer {
  /** Never rejects: what goes wrong is the refusal. Requests are served one after the other. */
  review(request: ReviewRequest): Promise<Review>;
  /** Ends what is under way. Requests that wait are refused. */
  close(): Promise<void>;
}

/** What the thread says first. */
export const isLoaded = 'loaded';

/** The look itself. It may take as long as the schemas want, so it runs in a worker that can be ended. */
export function reviewDescriptor({ before, after }: ReviewRequest): Review {
  const difference = before === undefined ? undefined : compareDescriptors(before, after);
  const refusal = refusalOf(after);
  return {
    ...(difference === undefined ? {} : { difference }),
    ...(refusal === undefined ? {} : { refusal: refusal.toEnvelope() }),
  };
}

function refusalOf(descriptor: Descriptor): AppError | undefined {
  for (const key of ['input', 'output'] as const) {
    try {
      new ValidatorCache().acquire(descriptor[key]);
    } catch (thrown) {
      return thrown instanceof AppError ? below(thrown, `/${key}`) : toAppError(thrown);
    }
  }
  return undefined;
}
