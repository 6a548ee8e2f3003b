/** The model that a path names; `null` when it is no model of Anthropic's, by id, inference profile or ARN. */
export function modelIdOf(encoded: string): string | null {
  const id = decode(encoded);
  return id !== null && forms.some((form) => form.test(id)) ? id : null;
}

/** `anthropic.claude-…-v1:0`, with the prefix of a cross-region inference profile (`us.`, `global.`) or without. */
const model = String.raw`(?:[a-z]{2,8}(?:-[a-z]+)?\.)?anthropic\.claude-[\w.-]+(?::\d+(?::\w+)?)?`;
const arn = String.raw`arn:aws[\w-]*:bedrock:[a-z0-9-]+:(?:\d{12})?`;

const forms = [
  new RegExp(`^${model}$`),
  new RegExp(`^${arn}:(?:foundation-model|inference-profile)/${model}$`),
  new RegExp(String.raw`^${arn}:(?:application-inference-profile|provisioned-model)/[a-z0-9]+$`),
];

function decode(encoded: string): string | null {
  try {
    return decodeURIComponent(encoded);
  } catch {
    // Not percent-encoded text: then it names no model.
    return null;
  }
}
