// The console pane. Owns the scroll: a small pool of rows over a log of any length, pages of lines fetched by number,
// and the end followed until the reader scrolls away. All text reaches the page through text nodes.
//
// Position. The log has n lines. A scroll fraction f in 0…1 puts the point f·n (in lines) of the log at the height
// f·V of a viewport V high: 0 shows the first line at the top, 1 the last line at the bottom. With rows of one height
// that is ordinary scrolling; it stays exact with wrapped rows, and when the log would be higher than an element may
// be, for the height of the scrolled element then no longer matters.
import { marksIn, paint, plainText } from '../../console/ansi.js';
import { Pages } from '../../console/pages.js';

// Firefox draws no element above 17.9 million pixels, Chrome none above 33.5 million.
const TallestPixels = 15_000_000;
const NarrowStep = 4;

/** Opens the pane on an element; owner is told 'OnFollowing(bool)', 'OnMarked(from, to)', 'OnCopied(done)', 'OnKey(key)'. */
export function open(viewport, options, owner) {
  return new Pane(viewport, options, owner);
}

class Pane {
  #viewport; #sizer; #layer; #rows; #fresh; #count; #owner; #options;
  #total = 0;
  #complete = false;
  #following;
  #seen = 0;
  #anchor = { line: 0, y: 0 };   // this point of the log (0-based, fractional) is at this height of the viewport
  #fraction = 0;                 // finer than scrollTop can hold when the log is scaled
  #rowHeight = 20;
  #height = 0;
  #setTop = 0;
  #pages;
  #live = new Map();             // line → its row
  #direction = 1;
  #frame = 0;
  #marked = null;
  #sought = null;
  #observer;
  #abort = new AbortController();

  constructor(viewport, options, owner) {
    this.#viewport = viewport;
    this.#owner = owner;
    this.#options = options;
    this.#following = options.follow;
    this.#sizer = span('sizer');
    this.#layer = span('layer');
    this.#rows = span('rows');
    this.#layer.append(this.#rows);
    this.#sizer.append(this.#layer);
    viewport.replaceChildren(this.#sizer);
    this.#pages = new Pages(options.pages, () => this.#schedule());
    this.#fresh = viewport.parentElement.querySelector('.fresh');
    this.#count = viewport.closest('.console').querySelector('.count');
    this.#rowHeight = parseFloat(getComputedStyle(viewport).lineHeight) || this.#rowHeight;

    const on = (target, type, handler, more) =>
      target.addEventListener(type, handler, { signal: this.#abort.signal, ...more });
    on(viewport, 'scroll', () => this.#scrolled(), { passive: true });
    on(viewport, 'wheel', event => this.#wheel(event), { passive: false });
    on(viewport, 'touchmove', () => this.#leaveEnd(), { passive: true });
    on(viewport, 'keydown', event => this.#key(event));
    on(viewport, 'click', event => this.#clicked(event));
    on(viewport.closest('.console'), 'click', event => this.#copy(event.target.closest('[data-copy]')?.dataset.copy));
    on(this.#fresh, 'click', () => { this.follow(true); viewport.focus({ preventScroll: true }); });
    on(window, 'hashchange', () => this.#readHash());
    on(document, 'visibilitychange', () => this.#schedule());
    this.#observer = new ResizeObserver(() => this.#resized());
    this.#observer.observe(viewport);
    this.#readHash();
    this.#schedule();
  }

  /** The log has grown to total lines; lines are the newest of them. */
  grow(total, lines, complete) {
    for (const line of lines) {
      this.#pages.keep(line);
    }
    const first = this.#total === 0 && total > 0;
    this.#total = Math.max(this.#total, total);
    this.#complete = complete;
    if (first && !this.#following) {
      this.#seen = total;
    }
    if (first && this.#marked) {
      this.#show(this.#marked.from);
    } else if (this.#following) {
      this.#toEnd();
    } else {
      this.#place(this.#anchor);
    }
    this.#schedule();
  }

  /** Follows the end, or stays. */
  follow(on) {
    this.#setFollowing(on);
    if (on) {
      this.#toEnd();
    }
    this.#schedule();
  }

  /** Shows a line in the middle of the pane and marks it; 0 goes to the first line, -1 to the last. */
  goTo(line) {
    this.#setFollowing(false);
    if (line === 0) {
      this.#anchor = { line: 0, y: 0 };
    } else if (line === -1) {
      this.#anchor = { line: this.#total, y: this.#viewport.clientHeight };
    } else {
      this.#mark(line, line);
      history.replaceState(history.state, '', this.#address(line, line));
      this.#show(line);
    }
    this.#place(this.#anchor);
    this.#schedule();
  }

  /** Changes what rows look like: { wrap, times, start }. */
  set(options) {
    Object.assign(this.#options, options);
    this.#viewport.classList.toggle('wrap', this.#options.wrap);
    this.#live.clear();
    this.#rows.replaceChildren();
    this.#sizer.style.minWidth = '';
    this.#schedule();
  }

  /** Highlights { text, regex, matchCase } in the rows, or nothing, and keeps it in the address. */
  find(query) {
    this.#sought = query;
    const address = new URL(location.href);
    for (const [name, value] of [['find', query?.text], ['regex', query?.regex && '1'], ['case', query?.matchCase && '1']]) {
      value ? address.searchParams.set(name, value) : address.searchParams.delete(name);
    }
    history.replaceState(history.state, '', address);
    this.#live.clear();
    this.#rows.replaceChildren();
    this.#schedule();
  }

  /** The number of the first line that is in view. */
  topLine() {
    const { line, y } = this.#anchor;
    return Math.max(1, Math.floor(line - y / this.#rowHeight) + 1);
  }

  focus() {
    this.#viewport.focus({ preventScroll: true });
  }

  dispose() {
    this.#abort.abort();
    this.#observer.disconnect();
    cancelAnimationFrame(this.#frame);
    this.#pages.close();
  }

  // --- position -------------------------------------------------------------------------------------------------

  get #room() { return Math.max(0, this.#height - this.#viewport.clientHeight); }

  #natural() { return this.#total * this.#rowHeight; }

  get #scaled() { return this.#natural() > TallestPixels; }

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

  #toEnd() {
    this.#setHeight(Math.max(this.#viewport.clientHeight, Math.min(this.#natural(), TallestPixels), this.#full()));
    this.#setScroll(1);
    this.#anchor = { line: this.#total, y: this.#viewport.clientHeight };
  }

  // Keeps the anchor where it is on the screen and brings the scroll bar into line with it.
  #place(anchor) {
    const high = this.#viewport.clientHeight;
    this.#setHeight(Math.max(high, Math.min(this.#natural(), TallestPixels), this.#full()));
    const top = anchor.line * this.#rowHeight - anchor.y;
    const range = this.#natural() - high;
    this.#setScroll(range > 0 ? clamp(top / range, 0, 1) : this.#room > 0 ? clamp(this.#fraction, 0, 1) : 0);
    this.#anchor = anchor;
  }

  // The height of the whole log where all of it is painted (wrapped rows make it more than lines × row height).
  #full() {
    return this.#live.size === this.#total && this.#total > 0 ? this.#rows.offsetHeight : 0;
  }

  #show(line) {
    const high = this.#viewport.clientHeight;
    const y = clamp((line - 1) * this.#rowHeight, 0, Math.max(0, Math.floor(high / 3)));
    this.#setFollowing(false);
    this.#place({ line: Math.min(line - 1, Math.max(0, this.#total - 1)), y });
    // Near the ends the anchor cannot be where it was asked to: go by the fraction instead.
    if (this.#fraction === 0 || this.#fraction === 1) {
      this.#fromFraction(this.#fraction);
    }
  }

  #fromFraction(fraction) {
    this.#fraction = fraction;
    this.#anchor = { line: fraction * this.#total, y: fraction * this.#viewport.clientHeight };
  }

  #scrolled() {
    const top = this.#viewport.scrollTop;
    if (Math.abs(top - this.#setTop) < 1) {
      return;
    }
    this.#direction = top > this.#setTop ? 1 : -1;
    this.#setTop = top;
    this.#fromFraction(this.#room > 0 ? clamp(top / this.#room, 0, 1) : 0);
    this.#setFollowing(!this.#complete && this.#room - top < 2);
    this.#schedule();
  }

  #leaveEnd() {
    if (this.#following) {
      this.#setFollowing(false);
    }
  }

  // In a scaled log one pixel of the bar is many lines, so the wheel moves the log itself.
  #wheel(event) {
    if (event.deltaY < 0 && !event.ctrlKey) {
      this.#leaveEnd();
    }
    if (!this.#scaled || event.ctrlKey || Math.abs(event.deltaX) > Math.abs(event.deltaY)) {
      return;
    }
    event.preventDefault();
    const unit = event.deltaMode === 1 ? this.#rowHeight : event.deltaMode === 2 ? this.#viewport.clientHeight : 1;
    this.#moveBy(event.deltaY * unit);
  }

  #moveBy(pixels) {
    const range = this.#natural() - this.#viewport.clientHeight;
    if (range <= 0 && this.#room <= 0) {
      return;
    }
    this.#direction = pixels > 0 ? 1 : -1;
    const fraction = clamp(this.#fraction + pixels / (range > 0 ? range : this.#room), 0, 1);
    this.#setScroll(fraction);
    this.#fromFraction(fraction);
    this.#setFollowing(fraction === 1 && !this.#complete);
    this.#schedule();
  }

  #resized() {
    this.#viewport.classList.toggle('wrap', this.#options.wrap);
    if (this.#following) {
      this.#toEnd();
    } else {
      this.#place(this.#anchor);
    }
    this.#schedule();
  }

  #setFollowing(on) {
    if (on !== this.#following) {
      this.#following = on;
      this.#seen = this.#total;
      this.#owner.invokeMethodAsync('OnFollowing', on);
    }
  }

  // --- rows -----------------------------------------------------------------------------------------------------

  #schedule() {
    if (this.#frame === 0 && !this.#abort.signal.aborted) {
      this.#frame = requestAnimationFrame(() => {
        this.#frame = 0;
        this.#paint();
      });
    }
  }

  #paint() {
    const high = this.#viewport.clientHeight;
    if (high === 0) {
      return;
    }
    const { line: at, y } = this.#anchor;
    const middle = clamp(Math.floor(at), 0, Math.max(0, this.#total - 1));
    const from = Math.max(0, middle - Math.ceil(Math.max(0, y) / this.#rowHeight) - 2);
    const to = Math.min(this.#total, middle + Math.ceil(Math.max(0, high - y) / this.#rowHeight) + 2);
    this.#layer.style.height = `${high}px`;
    this.#fill(from, to);
    this.#pages.want(from, to, this.#total, this.#direction);
    this.#rows.style.setProperty('--digits', String(Math.max(NarrowStep, String(this.#total).length)));

    const all = from === 0 && to === this.#total;
    if (all && this.#total > 0) {
      const full = this.#rows.offsetHeight;
      if (full <= high) {
        this.#setHeight(high);
        this.#rows.style.transform = '';
        this.#painted();
        return;
      }
      if (full !== this.#height) {
        this.#setHeight(full);
        if (this.#following) {
          this.#setScroll(1);
        }
      }
    }
    this.#rows.style.transform = `translateY(${(y - this.#offset(at, from)).toFixed(2)}px)`;
    if (!this.#options.wrap && this.#rows.offsetWidth > this.#sizer.offsetWidth) {
      // Once as wide as the widest line seen: the bar below must not jump while scrolling.
      this.#sizer.style.minWidth = `${this.#rows.offsetWidth}px`;
    }
    this.#painted();
  }

  // How far below the top of the rows the point of the log is.
  #offset(at, from) {
    if (!this.#options.wrap) {
      return (at - from) * this.#rowHeight;
    }
    const whole = Math.floor(at);
    const row = this.#live.get(whole + 1);
    return row ? row.offsetTop + (at - whole) * row.offsetHeight : this.#rows.offsetHeight;
  }

  #painted() {
    this.#count.textContent = this.#total === 1 ? '1 line' : `${this.#total.toLocaleString('en')} lines`;
    const fresh = this.#following ? 0 : this.#total - this.#seen;
    this.#fresh.hidden = fresh <= 0;
    if (fresh > 0) {
      this.#fresh.querySelector('.fresh-count').textContent =
        fresh === 1 ? '1 new line' : `${fresh.toLocaleString('en')} new lines`;
    }
  }

  #fill(from, to) {
    for (const [line, row] of this.#live) {
      if (line <= from || line > to) {
        row.remove();
        this.#live.delete(line);
      }
    }
    let next = this.#rows.firstChild;
    for (let number = from + 1; number <= to; number++) {
      const line = this.#pages.line(number);
      let row = this.#live.get(number);
      if (row && row.pending && line) {
        const filled = this.#row(number, line);
        if (next === row) {
          next = filled;
        }
        row.replaceWith(filled);
        this.#live.set(number, row = filled);
      } else if (!row) {
        row = this.#row(number, line);
        this.#live.set(number, row);
      }
      if (row === next) {
        next = next.nextSibling;
      } else {
        this.#rows.insertBefore(row, next);
      }
    }
  }

  #row(number, line) {
    const row = span('row');
    row.dataset.line = number;
    if (this.#marked && number >= this.#marked.from && number <= this.#marked.to) {
      row.classList.add('marked');
    }
    const link = document.createElement('a');
    link.className = 'n';
    link.textContent = number;
    link.href = this.#address(number, number);
    link.tabIndex = -1;
    link.setAttribute('aria-label', `Line ${number}`);
    row.append(link);
    if (!line) {
      row.pending = true;
      row.classList.add('pending');
      return row;
    }
    row.classList.add(line.stream);
    if (this.#options.times !== 'off') {
      const time = span('t');
      time.textContent = clockText(line.created_at, this.#options.times, this.#options.start);
      time.title = line.created_at;
      row.append(time);
    }
    const text = span('x');
    paint(text, line.output, marksIn(line.output, this.#sought));
    row.append(text);
    return row;
  }

  // --- marks and keys -------------------------------------------------------------------------------------------

  #address(from, to) {
    return `${location.pathname}${location.search}#L${from}${to > from ? `-L${to}` : ''}`;
  }

  #readHash() {
    const match = /^#L(\d+)(?:-L?(\d+))?$/.exec(location.hash);
    if (match) {
      const a = Number(match[1]);
      const b = Number(match[2] ?? match[1]);
      this.#mark(Math.max(1, Math.min(a, b)), Math.max(a, b));
      this.#setFollowing(false);
      if (this.#total > 0) {
        this.#show(this.#marked.from);
        this.#schedule();
      }
    }
  }

  #mark(from, to) {
    this.#marked = { from, to };
    for (const [line, row] of this.#live) {
      row.classList.toggle('marked', line >= from && line <= to);
    }
    this.#owner.invokeMethodAsync('OnMarked', from, to);
  }

  #clicked(event) {
    const link = event.target.closest('a.n');
    if (!link || event.ctrlKey || event.metaKey || event.button !== 0) {
      return;
    }
    event.preventDefault();
    const line = Number(link.parentElement.dataset.line);
    const other = event.shiftKey && this.#marked ? this.#marked.from : line;
    this.#mark(Math.min(line, other), Math.max(line, other));
    // Blazor keeps its own state of the history entry: it must survive.
    history.replaceState(history.state, '', this.#address(this.#marked.from, this.#marked.to));
  }

  /** Takes the mark away. */
  unmark() {
    this.#marked = null;
    for (const row of this.#live.values()) {
      row.classList.remove('marked');
    }
    history.replaceState(history.state, '', `${location.pathname}${location.search}`);
  }

  // Handled here and not by the circuit: the browser lets a page copy only right after the reader's own click.
  async #copy(what) {
    if (!what || !this.#marked) {
      return;
    }
    const { from, to } = this.#marked;
    let done = true;
    try {
      const text = what === 'link'
        ? Promise.resolve(location.origin + this.#address(from, to))
        : this.#pages.read(from, Math.min(to, this.#total)).then(lines => lines.map(line => plainText(line.output)).join('\n'));
      await copy(text);
    } catch {
      done = false;
    }
    this.#owner.invokeMethodAsync('OnCopied', done);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.#viewport) {
      return;
    }
    const page = this.#viewport.clientHeight - this.#rowHeight;
    const moves = {
      ArrowUp: -this.#rowHeight, ArrowDown: this.#rowHeight, PageUp: -page, PageDown: page,
    };
    if (event.key in moves) {
      this.#moveBy(moves[event.key]);
    } else if (event.key === 'Home' || event.key === 'g') {
      this.goTo(0);
    } else if (event.key === 'End' || event.key === 'G') {
      this.#complete ? this.goTo(-1) : this.follow(true);
    } else if (event.key === ' ') {
      this.follow(!this.#following);
    } else if (['/', 'n', 'N', 'e', 'E', 'w', 't', '?', 'Escape'].includes(event.key)) {
      this.#owner.invokeMethodAsync('OnKey', event.key);
    } else {
      return;
    }
    event.preventDefault();
  }
}

function span(name) {
  const element = document.createElement('span');
  element.className = name;
  return element;
}

// The promise itself goes to the clipboard, so that the click still counts when the text had to be fetched first.
// Pages served without TLS have no clipboard; there the old command does it.
async function copy(text) {
  if (navigator.clipboard?.write) {
    const blob = text.then(value => new Blob([value], { type: 'text/plain' }));
    await navigator.clipboard.write([new ClipboardItem({ 'text/plain': blob })]);
    return;
  }
  const area = document.createElement('textarea');
  area.value = await text;
  document.body.append(area);
  area.select();
  const done = document.execCommand('copy');
  area.remove();
  if (!done) {
    throw new Error('copy refused');
  }
}

function clamp(value, least, most) {
  return Math.min(most, Math.max(least, value));
}

// '2026-11-23T15:04:05.123456789Z' → '15:04:05.123' in the reader's zone or in UTC, or '+3.210' since the start.
function clockText(time, kind, start) {
  if (kind === 'utc') {
    return time.slice(11, 23).padEnd(12, '0');
  }
  const date = new Date(time);
  if (kind === 'start') {
    const seconds = (date - new Date(start)) / 1000;
    return `${seconds < 0 ? '-' : '+'}${Math.abs(seconds).toFixed(3)}`;
  }
  const two = value => String(value).padStart(2, '0');
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${String(date.getMilliseconds()).padStart(3, '0')}`;
}
