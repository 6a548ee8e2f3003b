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
export const emulatorModelId = 'anthropic.claude-haiku-4-5-20251001-v1:0';

/** The ten pages of an emulator at `endpoint`. */
export function emulatorPages(endpoint: string): readonly string[] {
  return Array.from({ length: 10 }, (_, index) => `${endpoint}/pages/${index}`);
}
