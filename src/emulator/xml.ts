/** An XML element with text, or with elements made by this function. */
export function element(name: string, content: string | readonly string[], namespace = ''): string {
  const inner = typeof content === 'string' ? escapeText(content) : content.join('');
  const declared = namespace === '' ? '' : ` xmlns="${escapeText(namespace)}"`;
  return `<${name}${declared}>${inner}</${name}>`;
}

export function xmlDocument(root: string): Uint8Array {
  return new TextEncoder().encode(`<?xml version="1.0" encoding="UTF-8"?>\n${root}`);
}

const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' };

function escapeText(text: string): string {
  return text.replaceAll(/[&<>"]/g, (character) => entities[character] ?? character);
}
