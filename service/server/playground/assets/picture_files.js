// Reads picture files, and scales large ones down before they are sent.

// The networks read at most some hundred pixels a side; more would only cost time on the way to the server.
const MAX_SIDE = 1600;
const MAX_BYTES = 1_500_000;
const THUMBNAIL_SIDE = 160; // twice the size of a tile
const JPEG_QUALITY = 0.92;

/**
 * Read a picture file.
 *
 * The browser turns it upright by its EXIF data. A file that the browser cannot read is sent as it is: the
 * server reads more kinds, and says what is wrong with others.
 *
 * @param {Blob} file
 * @returns {Promise<{file: Blob, thumbnail: Blob | null}>} What to send, and a small copy to show.
 */
export async function readPicture(file) {
  let bitmap;
  try {
    bitmap = await createImageBitmap(file, { imageOrientation: "from-image" });
  } catch {
    return { file, thumbnail: null };
  }
  try {
    const side = Math.max(bitmap.width, bitmap.height);
    const isLarge = side > MAX_SIDE || file.size > MAX_BYTES;
    return {
      file: isLarge ? await scaled(bitmap, Math.min(MAX_SIDE / side, 1), file) : file,
      thumbnail: await scaled(bitmap, Math.min(THUMBNAIL_SIDE / side, 1), file),
    };
  } finally {
    bitmap.close();
  }
}

async function scaled(bitmap, scale, original) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, Math.round(bitmap.width * scale));
  canvas.height = Math.max(1, Math.round(bitmap.height * scale));
  const context = canvas.getContext("2d");
  if (context === null) return original;
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  // JPEG has no transparency, which other kinds may have.
  const type = original.type === "image/jpeg" ? "image/jpeg" : "image/png";
  return (await new Promise((resolve) => canvas.toBlob(resolve, type, JPEG_QUALITY))) ?? original;
}

/**
 * Return the picture files of a drop or of the clipboard, or why there are none.
 *
 * @param {DataTransfer} data
 * @returns {{files: File[], problem: string}}
 */
export function filesOf(data) {
  const files = [...data.files].filter((file) => !file.type || file.type.startsWith("image/"));
  if (files.length) return { files, problem: "" };
  const address = data.getData("text/uri-list") || data.getData("text/plain");
  const isRemote = /^\s*(https?|ftp):/i.test(address) || /<img\s/i.test(data.getData("text/html"));
  const problem = isRemote
    ? "This picture is on the network, and Lectern downloads nothing. Save it first, or copy the picture itself."
    : "It contains no picture.";
  return { files, problem };
}
