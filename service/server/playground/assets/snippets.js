// Writes the request for what is on the page, for a shell and for Python.

// A command line on Linux takes 128 kB for one argument; a larger picture is named by its file.
const MAX_INLINE_BYTES = 60_000;

/**
 * Return a curl command, and a Python program, that send what is on the page.
 *
 * @param {object} request
 * @param {string} request.url Address of the model, or of its reader of numbers.
 * @param {Blob | string} request.content A picture file or a text.
 * @param {boolean} request.needsKey Whether the server needs an API key.
 * @returns {Promise<{curl: string, python: string}>}
 */
export async function writeSnippets({ url, content, needsKey }) {
  const body = await bodyOf(content);
  const key = needsKey ? ` \\\n  -H "Authorization: Bearer $LECTERN_API_KEY"` : "";
  const headers = needsKey ? `{**TYPE, "Authorization": "Bearer " + os.environ["LECTERN_API_KEY"]}` : "TYPE";
  return {
    curl: `curl ${quote(url)}${key} \\\n  -H ${quote(`Content-Type: ${body.type}`)} ${body.curl}\n`,
    python: `import json, os, urllib.request

TYPE = {"Content-Type": ${JSON.stringify(body.type)}}
body = ${body.python}
request = urllib.request.Request(${JSON.stringify(url)}, body, ${headers})
print(json.load(urllib.request.urlopen(request)))
`,
  };
}

async function bodyOf(content) {
  if (typeof content === "string") {
    const type = "text/plain; charset=utf-8";
    return { type, curl: `--data-raw ${quote(content)}`, python: `${JSON.stringify(content)}.encode()` };
  }
  if (content.size > MAX_INLINE_BYTES) {
    const name = content.name || "picture";
    const type = "application/octet-stream";
    return { type, curl: `--data-binary ${quote(`@${name}`)}`, python: `open(${JSON.stringify(name)}, "rb").read()` };
  }
  const base64 = await base64Of(content);
  const json = JSON.stringify({ inputs: base64 });
  return {
    type: "application/json",
    curl: `--data-raw ${quote(json)}`,
    python: `json.dumps({"inputs": ${JSON.stringify(base64)}}).encode()`,
  };
}

async function base64Of(file) {
  const bytes = new Uint8Array(await file.arrayBuffer());
  return btoa(Array.from(bytes, (byte) => String.fromCharCode(byte)).join(""));
}

/** Quote a word for a POSIX shell. */
function quote(word) {
  return `'${word.replaceAll("'", "'\\''")}'`;
}
