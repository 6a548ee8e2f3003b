/**
 * The emulator's one account. Fixed and public: they open nothing but the emulator, and no user's credentials are
 * ever sent to it.
 */
export const emulatorCredentials = {
  accessKeyId: 'FANOUTBENCHEMULATOR1',
  secretAccessKey: 'not-a-secret-it-opens-nothing-but-the-emulator',
} as const;

export const emulatorRegion = 'us-east-1';
export const emulatorBucket = 'fanout-bench';
export const emulatorPrefix = 'photos/';
/** In ARNs; AWS's own example. */
export const emulatorAccountId = '123456789012';
