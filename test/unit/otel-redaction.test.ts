import { describe, expect, test } from 'vitest';
import { redactText, redactUrl } from '../../otel/redaction.ts';

const secretParameters = [
  'X-Amz-Signature',
  'X-Amz-Credential',
  'X-Amz-Security-Token',
  'AWSAccessKeyId',
  'Signature',
  'sig',
];

describe('a URL', () => {
  test.each(secretParameters)('keeps the key %s and loses its value, in any case', (name) => {
    for (const key of [name, name.toLowerCase(), name.toUpperCase()]) {
      expect(redactUrl(`https://h/p?a=1&${key}=s3cr%2Ft&b=2`)).toBe(`https://h/p?a=1&${key}=REDACTED&b=2`);
      expect(redactUrl(`/p?${key}=s3cret`)).toBe(`/p?${key}=REDACTED`);
    }
  });

  test('keeps order, encoding, fragment and everything else byte for byte', () => {
    const url = 'http://u.example:80/a%20b/é?z=%2F&X-Amz-Date=20261122T000000Z&a=+&sig=x&&empty=#frag?sig';
    expect(redactUrl(url)).toBe(url.replace('sig=x', 'sig=REDACTED'));
  });

  test('is left alone where a parameter only resembles a secret one', () => {
    const url = '/p?mysig=1&sigma=2&X-Amz-SignedHeaders=host&X-Amz-Signature-Version=4&signature_=3';
    expect(redactUrl(url)).toBe(url);
  });

  test('is redacted where the name of a secret parameter is percent-encoded', () => {
    expect(redactUrl('/p?X%2DAmz%2DSignature=abc&x%41=1')).toBe('/p?X%2DAmz%2DSignature=REDACTED&x%41=1');
    for (const name of secretParameters) {
      const encoded = name.replaceAll(/./gu, (one) => `%${one.charCodeAt(0).toString(16).toUpperCase()}`);
      expect(redactUrl(`/p?${encoded}=abc&b=2`)).toBe(`/p?${encoded}=REDACTED&b=2`);
    }
    expect(redactUrl('/p?%61=http://h/?s%69g=abc')).toBe('/p?%61=http://h/?s%69g=REDACTED');
  });

  test('is redacted where it is given twice, or is no URL at all', () => {
    expect(redactUrl('http://[?sig=1&sig=2')).toBe('http://[?sig=REDACTED&sig=REDACTED');
    expect(redactUrl('%%%?Signature=%E0%A4%A&x%=1')).toBe('%%%?Signature=REDACTED&x%=1');
    expect(redactUrl('')).toBe('');
  });

  test('that is redacted already stays as it is', () => {
    const once = redactUrl('/p?sig=1&X-Amz-Credential=AKIA%2F20261122');
    expect(redactUrl(once)).toBe(once);
  });
});

describe('words', () => {
  test('lose the secrets of every URL in them, and nothing else', () => {
    expect(redactText('GET "https://h/a?X-Amz-Signature=ab1&x=1" failed, then /b?sig=c2 did')).toBe(
      'GET "https://h/a?X-Amz-Signature=REDACTED&x=1" failed, then /b?sig=REDACTED did',
    );
  });

  test('lose what an Authorization header says', () => {
    const header = 'AWS4-HMAC-SHA256 Credential=AKIA/20261122/us-east-1/s3/aws4_request, Signature=abcdef';
    for (const line of [`Authorization: ${header}`, `{"authorization":"${header}"}`, `sent ${header}`]) {
      const redacted = redactText(line);
      expect(redacted).toContain('REDACTED');
      expect(redacted).not.toMatch(/AKIA|abcdef/u);
    }
    expect(redactText('authorization: Bearer t0ken')).not.toContain('t0ken');
  });

  test('lose session tokens and the user part of URLs', () => {
    expect(redactText('x-amz-security-token: FwoGZX/1==')).toBe('x-amz-security-token: REDACTED');
    expect(redactText('connect to http://user:pw@host/ failed')).toBe(
      'connect to http://REDACTED@host/ failed',
    );
    expect(redactText('http://user:p@ss@host/?mail=a@b')).toBe('http://REDACTED@host/?mail=a@b');
  });
});

describe('a million characters from a stranger', () => {
  const secret = 'http://h/?sig=s3cret';

  // Whoever went over them once for each would be at it for hours.
  test.each([
    ['escapes', `/x?${million('%')}`],
    ['beginnings of a query', million('?')],
    ['beginnings and escapes', million('?%')],
    ['separators', `/x?${million('&;')}`],
    ['escaped names without a value', million('?X%2DAmz%2DSignature')],
    ['names that nearly are secret', million('?X-Amz-Signatur%65e=1')],
    ['values', million('?x=')],
    ['letters', million('a')],
    ['schemes', million('a+.-')],
    ['a scheme and a user', `${million('a')}://${million('u')}`],
    ['beginnings of a URL', million('a://')],
    ['colons and slashes', million(':/')],
    ['a header and spaces', `authorization${million(' ')}`],
    ['a header and line ends', `authorization:${million('\n')}`],
    ['names of headers', million('proxy-authorization')],
    ['names of headers and quotes', million('proxy-authorization" ')],
    ['a token and spaces', `x-amz-security-token${million(' ')}`],
    ['a token and more spaces', `x-amz-security-token: ${million(' ')}`],
    ['names of tokens', million('x-amz-security-token:')],
    ['signatures', million(' Signature')],
    ['credentials', million('Credential=')],
  ])('is gone over once: %s', (_, hostile) => {
    for (const text of [`${hostile} ${secret}`, `${hostile}${secret}`]) {
      expect(redactUrl(text).includes('s3cret')).toBe(false);
      expect(redactText(text).includes('s3cret')).toBe(false);
    }
  });
});

function million(part: string): string {
  return part.repeat(Math.ceil(1e6 / part.length));
}
