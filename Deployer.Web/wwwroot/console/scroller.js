// Where the pane is. The things in it are n rows and headings. A scroll fraction f in 0…1 puts the point f·n of them at
// the height f·V of a viewport V high: 0 shows the first at the top, 1 the last at the bottom. With rows of one height
// that is ordinary scrolling; it stays exact with wrapped rows and higher headings, and when all of it would be higher
// than an element may be, for the height of the scrolled element then no longer matters.

// Firefox draws no element above 17.9 million pixels, Chrome none above 33.5 million.
const TallestPixels = 15_000_000;

export class Scroller {
  #viewport; #sizer; #moved;
  #length = 0;
  #natural = 0;
  #fraction = 0;                  // finer than scrollTop can hold when the log is scaled
  #anchor = { index: 0, y: 0 };   // this point (0-based, fractional) is at this height of the viewport
  #height = 0;
  #setTop = 0;
  direction = 1;

  /** moved(atEnd) is told when the reader has scrolled. */
  constructor(viewport, sizer, moved) {
    this.#viewport = viewport;
    this.#sizer = sizer;
    this.#moved = moved;
  }

  get anchor() { return this.#anchor; }

  get high() { return this.#viewport.clientHeight; }

  /** How many things there are, and how high they are when none is wrapped. */
  resize(length, natural) {
    this.#length = length;
    this.#natural = natural;
  }

  /** All of it is painted, and this high: wrapped rows make it more than was thought. */
  measured(height, atEnd) {
    if (height <= this.high) {
      this.#setHeight(this.high);
    } else if (height !== this.#height) {
      this.#setHeight(height);
      if (atEnd) {
        this.#setScroll(1);
      }
    }
  }

  toEnd(painted) {
    this.#setHeight(Math.max(this.high, Math.min(this.#natural, TallestPixels), painted));
    this.#setScroll(1);
    this.#anchor = { index: this.#length, y: this.high };
  }

  /**
   * Puts a point of the log at a height of the viewport, and the scroll bar in line with it. With snap, what is so near
   * to an end that it cannot stand there is shown with that end.
   */
  place(anchor, painted, snap) {
    const high = this.high;
    this.#setHeight(Math.max(high, Math.min(this.#natural, TallestPixels), painted));
    const range = this.#natural - high;
    const top = anchor.index / Math.max(1, this.#length) * this.#natural - anchor.y;
    this.#setScroll(range > 0 ? clamp(top / range, 0, 1) : this.#room > 0 ? clamp(this.#fraction, 0, 1) : 0);
    this.#anchor = anchor;
    if (snap && (top <= 0 || top >= range)) {
      this.#fromFraction(top <= 0 || range <= 0 ? 0 : 1);
    }
  }

  /** The reader's scroll bar, wheel or finger moved it. */
  scrolled() {
    const top = this.#viewport.scrollTop;
    if (Math.abs(top - this.#setTop) < 1) {
      return;
    }
    this.direction = top > this.#setTop ? 1 : -1;
    this.#setTop = top;
    this.#fromFraction(this.#room > 0 ? clamp(top / this.#room, 0, 1) : 0);
    this.#moved(this.#room - top < 2);
  }

  /** In a scaled log one pixel of the bar is many lines, so the wheel moves the log itself. */
  wheel(event, rowHeight) {
    if (this.#natural <= TallestPixels || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      return;
    }
    event.preventDefault();
    this.moveBy(event.deltaY * (event.deltaMode === 1 ? rowHeight : event.deltaMode === 2 ? this.high : 1));
  }

  moveBy(pixels) {
    const range = Math.max(this.#natural - this.high, 0) || this.#room;
    if (range <= 0) {
      return;
    }
    this.direction = pixels > 0 ? 1 : -1;
    const fraction = clamp(this.#fraction + pixels / range, 0, 1);
    this.#setScroll(fraction);
    this.#fromFraction(fraction);
    this.#moved(fraction === 1);
  }

  get #room() { return Math.max(0, this.#height - this.high); }

  #setHeight(pixels) {
    pixels = Math.round(pixels);
    if (pixels !== this.#height) {
      this.#height = pixels;
      this.#sizer.style.height = `${pixels}px`;
    }
  }

  #setScroll(fraction) {
    this.#fraction = fraction;
    const top = fraction * this.#room;
    if (Math.abs(top - this.#viewport.scrollTop) >= 0.5) {
      this.#viewport.scrollTop = top;
    }
    this.#setTop = this.#viewport.scrollTop;
  }

  #fromFraction(fraction) {
    this.#fraction = fraction;
    this.#anchor = { index: fraction * this.#length, y: fraction * this.high };
  }
}

export function clamp(value, least, most) {
  return Math.min(most, Math.max(least, value));
}
