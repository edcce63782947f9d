/** What is sent there and back: the input of `echo`, and as JSON the floor's payload. */
export const payload = { message: 'The quick brown fox jumps over the lazy dog.' } as const;
