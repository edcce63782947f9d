import { Type } from 'typebox';
import { closed, type Wire } from './primitives.js';

/** What a client must know of an API before it speaks to it. */
export const ContractDescriptorSchema = Type.Object(
  {
    name: Type.String({ description: 'which API this is' }),
    major: Type.Integer({ minimum: 0, description: 'another major is another API: a client must refuse it' }),
    minor: Type.Integer({ minimum: 0, description: 'grows with each release that adds something' }),
    features: Type.Array(Type.String(), { description: 'additions that can be asked for by name' }),
  },
  closed,
);
export type ContractDescriptor = Wire<typeof ContractDescriptorSchema>;
