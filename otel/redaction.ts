/** A query value that signs or authorises a request. OpenTelemetry's list for `url.query`, and S3's presigned GETs. */
const secretParameters =
  'X-Amz-Signature|X-Amz-Credential|X-Amz-Security-Token|AWSAccessKeyId|Signature|sig|X-Goog-Signature';

const secretValue = new RegExp(`([?&;](?:${secretParameters})=)[^&;#\\s"'<>]*`, 'giu');

/** `%58-Amz-…` is the same parameter to a server. */
const encodedName = /([?&;])([^=&;#\s"'<>]*%[^=&;#\s"'<>]*)=([^&;#\s"'<>]*)/gu;
const secretName = new RegExp(`^(?:${secretParameters})$`, 'iu');

/**
 * Replaces the values of query parameters that sign or authorise a request by `REDACTED`. Keys, order and all else
 * stay as they are, byte for byte. Takes absolute and relative URLs, and what is no URL at all.
 */
export function redactUrl(url: string): string {
  const redacted = url.replace(secretValue, '$1REDACTED');
  return redacted.includes('%') ? redacted.replace(encodedName, redactEncoded) : redacted;
}

function redactEncoded(whole: string, separator: string, name: string): string {
  return secretName.test(decoded(name)) ? `${separator}${name}=REDACTED` : whole;
}

function decoded(name: string): string {
  try {
    return decodeURIComponent(name);
  } catch {
    // A broken escape is no parameter that a server would take for a secret one.
    return name;
  }
}

const userInfo = /([a-z][a-z0-9+.-]*:\/\/)[^/\s?#@]+@/giu;
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
    .replace(userInfo, '$1REDACTED@')
    .replace(authorization, '$1$2REDACTED')
    .replace(credentialHeader, '$1REDACTED')
    .replace(bareSignature, '$1REDACTED');
}
