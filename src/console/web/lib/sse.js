// @ts-check
// Reads a text/event-stream. `EventSource` hears only names that are known in advance, does not say with
// which status it was refused, and forgets its position when it was.

/** @typedef {{ name: string, id: string, data: string }} Message */

/**
 * The messages of a stream, as they come. The server ends lines with a line feed alone.
 * @param {ReadableStream<Uint8Array<ArrayBuffer>>} body
 * @returns {AsyncGenerator<Message, void>}
 */
export async function* messages(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return;
    const blocks = (text + value).split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) yield message(block);
  }
}

/** @param {string} block */
function message(block) {
  const found = { name: '', id: '', data: '' };
  for (const line of block.split('\n')) {
    const [, field, value] = line.match(/^(\w+): ?(.*)$/) ?? [];
    if (field === 'event') found.name = value;
    else if (field === 'id') found.id = value;
    else if (field === 'data') found.data += value;
  }
  return found;
}
