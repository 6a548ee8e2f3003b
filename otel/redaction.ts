/** Query parameters that sign or authorise a request: OpenTelemetry's list for `url.query`, and S3's presigned GETs. */
const secretNames = new Set([
  'x-amz-signature',
  'x-amz-credential',
  'x-amz-security-token',
  'awsaccesskeyid',
  'signature',
  'sig',
  'x-goog-signature',
]);

/** Whether the value of a query parameter of this name is nobody's business. */
export function isSecretName(name: string): boolean {
  return secretNames.has(decoded(name).toLowerCase());
}

// These patterns meet what strangers send, before any guard. So what one of them repeats ends where it can begin anew,
// and no stretch is gone over more than once.
const parameterName = /[?&;]([^?&;=#\s"'<>]*)=/gu;
const parameterValue = /[^&;#\s"'<>]*/uy;

/**
 * Replaces the values of query parameters that sign or authorise a request by `REDACTED`. Keys, order and all else
 * stay as they are, byte for byte. Takes absolute and relative URLs, and what is no URL at all.
 */
export function redactUrl(url: string): string {
  let redacted = '';
  let done = 0;
  for (const { 0: found, 1: name = '', index } of url.matchAll(parameterName)) {
    // In a value that is gone already, or of a parameter that anyone may see.
    if (index < done || !isSecretName(name)) continue;
    parameterValue.lastIndex = index + found.length;
    redacted += `${url.slice(done, parameterValue.lastIndex)}REDACTED`;
    parameterValue.test(url);
    done = parameterValue.lastIndex;
  }
  return redacted + url.slice(done);
}

/** As a server takes it: `%58-Amz-…` is `X-Amz-…`. What has a broken escape stays as it is. */
export function decoded(text: string): string {
  if (!text.includes('%')) return text;
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

// To the last @: a password may have some, unescaped.
const userInfo = /:\/\/[^/\s?#]+@/gu;
const authorization = /((?:proxy-)?authorization["']?\s*[:=]\s*)(["']?)[^"'\r\n]+/giu;
const credentialHeader = /(x-amz-security-token["']?\s*[:=]\s*["']?)[^"',\s&;]+/giu;
const bareSignature = /\b((?:Credential|Signature)=)[^\s,&;"'<>]+/gu;

/** Without one of these there is nothing to replace: most lines of a log. */
const suspicious = /[=@]|authorization|x-amz-security-token/iu;

/**
 * The same for words that may contain URLs or headers: messages of errors, lines of logs. Also removes the values of
 * `Authorization` and `X-Amz-Security-Token` headers and the user part of URLs.
 */
export function redactText(text: string): string {
  if (!suspicious.test(text)) return text;
  return redactUrl(text)
    .replace(userInfo, '://REDACTED@')
    .replace(authorization, '$1$2REDACTED')
    .replace(credentialHeader, '$1REDACTED')
    .replace(bareSignature, '$1REDACTED');
}
