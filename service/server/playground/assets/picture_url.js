// Shows a file in an image element, and frees its address when another one is shown.

/** The address of the file that an image element shows. */
export class PictureUrl {
  #image;
  #url = "";

  /** @param {HTMLImageElement} image */
  constructor(image) {
    this.#image = image;
  }

  /** Show a picture file (Blob); null shows nothing. */
  show(file) {
    if (this.#url) URL.revokeObjectURL(this.#url);
    this.#url = file ? URL.createObjectURL(file) : "";
    if (file) this.#image.src = this.#url;
    else this.#image.removeAttribute("src");
  }
}
