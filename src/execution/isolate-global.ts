/** The global under which an isolate's source text leaves its task. */
export const isolateGlobal = 'fanout';
