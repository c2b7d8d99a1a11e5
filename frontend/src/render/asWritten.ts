/** A text exactly as it was written, however long: the browser lays out only what is in sight. */

const PIECE = 8_000;

/** The text in blocks of some thousand characters; joined they are the text again. */
export function asWritten(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  for (const piece of piecesOf(text)) {
    const block = document.createElement("p");
    block.className = "as-written";
    block.textContent = piece;
    fragment.append(block);
  }
  return fragment;
}

/** Cut after a line where there is one, else after a space, and never through a character. */
export function piecesOf(text: string): string[] {
  const pieces: string[] = [];
  let start = 0;
  while (text.length - start > PIECE) {
    const end = start + cutOf(text.slice(start, start + PIECE));
    pieces.push(text.slice(start, end));
    start = end;
  }
  pieces.push(text.slice(start));
  return pieces;
}

function cutOf(piece: string): number {
  const line = piece.lastIndexOf("\n") + 1;
  if (line > PIECE / 2) return line;
  const space = piece.lastIndexOf(" ") + 1;
  if (space > PIECE / 2) return space;
  const high = /[\ud800-\udbff]$/.test(piece);
  return high ? PIECE - 1 : PIECE;
}
