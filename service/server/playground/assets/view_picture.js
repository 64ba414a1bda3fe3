// Draws what is on the page into one picture: the input, the answer and the bars.

import { formatPercent, nameOf } from "./messages.js";

const [WIDTH, HEIGHT, MARGIN] = [1200, 630, 40];
const SIDE = HEIGHT - 2 * MARGIN;
const LEFT = SIDE + 2 * MARGIN; // of the answer
const FILLS = { sure: "--accent", unsure: "--doubt-fill" };
const FONT = "system-ui, sans-serif";

/** Return a PNG file with the input (a picture file or a text) and its answer. */
export async function drawView({ content, networkInput, headline, detail, rows, title }) {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [WIDTH, HEIGHT];
  const context = canvas.getContext("2d");
  const style = getComputedStyle(document.documentElement);
  const fill = (name) => (context.fillStyle = style.getPropertyValue(name));
  fill("--paper");
  context.fillRect(0, 0, WIDTH, HEIGHT);
  fill("--ink");
  if (typeof content === "string") drawText(context, content);
  else await drawPicture(context, content, networkInput);
  const right = WIDTH - LEFT - MARGIN;
  context.font = `600 ${headline.length > 2 ? 44 : 88}px ${FONT}`;
  context.fillText(headline, LEFT, MARGIN + 76, right);
  context.font = `28px ${FONT}`;
  context.fillText(detail, LEFT, MARGIN + 122, right);
  context.font = `20px ${FONT}`;
  rows.forEach(({ label, score = 0, face }, row) => {
    const top = MARGIN + 160 + 30 * row;
    fill("--ink");
    context.fillText(nameOf(label), LEFT, top + 18, 130);
    context.fillText(formatPercent(score), WIDTH - MARGIN - 90, top + 18, 90);
    fill(FILLS[face] ?? "--muted");
    context.fillRect(LEFT + 140, top, (right - 250) * score, 20);
  });
  fill("--muted");
  context.fillText(`Lectern · ${title}`, LEFT, HEIGHT - MARGIN, right);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
}

async function drawPicture(context, file, networkInput) {
  const options = { imageOrientation: "from-image" };
  const bitmap = await createImageBitmap(file, options).catch(() => networkInput && createImageBitmap(networkInput));
  if (!bitmap) return; // The browser cannot read the file, and the network's input is not there yet.
  const scale = SIDE / Math.max(bitmap.width, bitmap.height);
  const [width, height] = [bitmap.width * scale, bitmap.height * scale];
  context.imageSmoothingEnabled = scale < 4; // The pixels of a small picture are to be seen.
  context.drawImage(bitmap, MARGIN + (SIDE - width) / 2, MARGIN + (SIDE - height) / 2, width, height);
  bitmap.close();
}

/** Draw a text with line breaks between words, as much as there is room for. */
function drawText(context, text) {
  context.font = `24px ${FONT}`;
  let [line, top] = ["", MARGIN + 24];
  for (const word of text.split(/\s+/)) {
    if (line && context.measureText(`${line} ${word}`).width > SIDE) {
      context.fillText(line, MARGIN, top, SIDE);
      [line, top] = [word, top + 36];
      if (top > HEIGHT - MARGIN) return;
    } else {
      line = line ? `${line} ${word}` : word;
    }
  }
  context.fillText(line, MARGIN, top, SIDE);
}
