/** Longer than any code of AWS, shorter than a signature or a session token. */
const longest = 60;

/**
 * A code or reason as an upstream worded it, if it is a word: what else comes in its place may be as long as the upstream
 * likes, or repeat what signed the request, and would stand in answers, spans and logs.
 */
export function upstreamWord(text: string): string | null {
  return text.length <= longest && /^[\w.-]+$/.test(text) ? text : null;
}
