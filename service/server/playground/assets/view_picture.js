// Draws what is on the page into one picture: the input, the answer and the bars.

import { formatPercent, nameOf } from "./messages.js";

const [WIDTH, HEIGHT, MARGIN] = [1200, 630, 40];
const SIDE = HEIGHT - 2 * MARGIN;
const LEFT = SIDE + 2 * MARGIN; // of the answer
const ANSWER_WIDTH = WIDTH - LEFT - MARGIN;
const [FIRST_ROW, LAST_ROW, ROW_HEIGHT] = [MARGIN + 160, HEIGHT - MARGIN - 30, 30];
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
  if (typeof content === "string") drawText(context, content, { left: MARGIN, top: MARGIN, width: SIDE, size: 24 });
  else await drawPicture(context, content, networkInput);
  let end = drawFitting(context, headline, { top: MARGIN, sizes: [headline.length > 2 ? 44 : 88, 36, 26], weight: 600 });
  for (const line of detail.split("\n")) end = drawFitting(context, line, { top: end, sizes: [28, 22, 18] });
  const first = Math.max(FIRST_ROW, end + 10);
  const rowHeight = Math.min(ROW_HEIGHT, (LAST_ROW - first) / rows.length);
  context.font = `20px ${FONT}`;
  rows.forEach(({ label, score = 0, face }, row) => {
    const top = first + rowHeight * row;
    fill("--ink");
    context.fillText(nameOf(label), LEFT, top + 18, 130);
    context.fillText(formatPercent(score), WIDTH - MARGIN - 100, top + 18, 100);
    fill(FILLS[face] ?? "--muted");
    context.fillRect(LEFT + 140, top, (ANSWER_WIDTH - 260) * score, 20);
  });
  fill("--muted");
  context.fillText(`Lectern · ${title}`, LEFT, HEIGHT - MARGIN, ANSWER_WIDTH);
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

/** Draw a text of the answer in the largest size that needs one line, or else the smallest; return where it ends. */
function drawFitting(context, text, { top, sizes, weight = 400 }) {
  const fits = (size) => {
    context.font = `${weight} ${size}px ${FONT}`;
    return context.measureText(text).width <= ANSWER_WIDTH;
  };
  const size = sizes.find(fits) ?? sizes.at(-1);
  return drawText(context, text, { left: LEFT, top, width: ANSWER_WIDTH, size, weight });
}

/** Draw a text with line breaks between words, as much as there is room for; return where it ends. */
function drawText(context, text, { left, top, width, size, weight = 400 }) {
  context.font = `${weight} ${size}px ${FONT}`;
  const lines = [""];
  for (const word of text.split(/\s+/)) {
    const longer = lines.at(-1) ? `${lines.at(-1)} ${word}` : word;
    if (lines.at(-1) && context.measureText(longer).width > width) lines.push(word);
    else lines[lines.length - 1] = longer;
  }
  const lineHeight = 1.35 * size;
  const shown = lines.slice(0, Math.floor((HEIGHT - MARGIN - top) / lineHeight));
  shown.forEach((line, index) => context.fillText(line, left, top + size + index * lineHeight, width));
  return top + shown.length * lineHeight;
}
