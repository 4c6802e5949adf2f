// The console pane. Owns the scroll: a small pool of rows over a log of any length, pages of lines fetched by number,
// and the end followed until the reader scrolls away.
import { addressOf, linesInAddress, topInAddress, writeLines, writeQuery } from '../../console/address.js';
import { marksIn, plainText } from '../../console/ansi.js';
import { copy } from '../../console/copy.js';
import { addRuns, Outline } from '../../console/outline.js';
import { Pages } from '../../console/pages.js';
import { Rows } from '../../console/rows.js';
import { Scroller } from '../../console/scroller.js';

const Ahead = 500;
const Settled = 400;
const OwnerKeys = ['/', 'n', 'N', 'e', 'E', 'w', 't', '?', 'Escape'];

const panes = new WeakMap();   // viewport → its pane

/** Opens the pane on an element, in the place of one that is there; owner is told 'OnFollowing(bool)', 'OnMarked(from, to)', 'OnCopied(done)', 'OnKey(key)', 'OnRemark(line)'. */
export function open(viewport, options, owner) {
  panes.get(viewport)?.dispose();
  const pane = new Pane(viewport, options, owner);
  panes.set(viewport, pane);
  return pane;
}

class Pane {
  #viewport; #sizer; #layer; #fresh; #count; #owner; #options;
  #outline = new Outline();
  #rows; #scroller; #pages;
  #complete = false;
  #following;
  #seen = 0;
  #target = null;         // the line that was last gone to, until the reader moves
  #runs = [];             // of the filter, which may be not all here yet
  #frame = 0;
  #tick = 0;
  #settling = 0;
  #observer;
  #abort = new AbortController();

  constructor(viewport, options, owner) {
    this.#viewport = viewport;
    this.#owner = owner;
    this.#options = options;
    this.#following = options.follow;
    this.#sizer = span('sizer');
    this.#layer = span('layer');
    const rows = span('rows');
    this.#layer.append(rows);
    this.#sizer.append(this.#layer);
    viewport.replaceChildren(this.#sizer);
    this.#rows = new Rows(rows, options);
    this.#pages = new Pages(options.pages, () => this.#schedule());
    this.#scroller = new Scroller(viewport, this.#sizer, atEnd => this.#moved(atEnd));
    this.#fresh = viewport.parentElement.querySelector('.fresh');
    this.#count = viewport.closest('.console').querySelector('.count');
    this.#measureRow();

    const on = (target, type, handler, more) =>
      target.addEventListener(type, handler, { signal: this.#abort.signal, ...more });
    on(viewport, 'scroll', () => this.#scroller.scrolled(), { passive: true });
    on(viewport, 'wheel', event => this.#wheel(event), { passive: false });
    on(viewport, 'touchmove', () => this.#setFollowing(false), { passive: true });
    on(viewport, 'keydown', event => this.#key(event));
    on(viewport, 'click', event => this.#clicked(event));
    on(viewport.closest('.console'), 'click', event => this.#copy(event.target.closest('[data-copy]')?.dataset.copy));
    on(this.#fresh, 'click', () => { this.follow(true); this.focus(); });
    on(window, 'hashchange', () => this.#readAddress());
    on(document, 'visibilitychange', () => this.#schedule());
    this.#observer = new ResizeObserver(() => this.#resized());
    this.#observer.observe(viewport);
    this.#readAddress();
    this.#schedule();
  }

  /** The log has grown to total lines; lines are the newest of them. */
  grow(total, lines, complete) {
    for (const line of lines) {
      this.#pages.keep(line);
    }
    const first = this.#outline.total === 0 && total > 0;
    this.#complete = complete;
    this.#keep(() => this.#outline.grow(total));
    if (first && !this.#following) {
      this.#seen = this.#outline.shown;
    }
    if (first && this.#target) {
      this.#show(this.#target);
    }
  }

  /** The sections that have begun: [{ key, name, says, state, first, open, since, seconds, expected }]. */
  sections(sections) {
    const seen = Date.now();
    this.#keep(() => {
      this.#outline.sections = sections.map(section => ({ ...section, seen }));
      if (this.#target) {
        this.#reveal(this.#target);
      }
    });
  }

  /** Opens or closes one section, or, without a key, all of them. */
  fold(key, open) {
    this.#keep(() => this.#outline.open(key, open));
  }

  /** Shows a section: open, its heading at the top. */
  showSection(key) {
    this.#setFollowing(false);
    this.#outline.open(key, true);
    const index = this.#outline.indexOfHeading(key);
    if (index >= 0) {
      this.#place({ index, y: 0 }, true);
    }
  }

  /** Shows these lines alone ([from, to, …], in parts from first to last); null shows all. query is for the address. */
  filter(query, runs, first, last) {
    writeQuery({ stream: query?.stream, step: query?.step });
    if (first) {
      this.#runs = [];
    }
    addRuns(this.#runs, runs ?? []);
    if (!last) {
      return;
    }
    this.#keep(() => {
      this.#outline.filter(runs && this.#runs);
      this.#outline.open(null, true);
    });
    this.#seen = this.#outline.shown;
  }

  /** More lines that the filter lets through. */
  matched(runs) {
    if (this.#outline.filtered) {
      this.#keep(() => this.#outline.match(runs));
    }
  }

  /** Follows the end, or stays. */
  follow(on) {
    this.#setFollowing(on);
    this.#keep(() => {
      if (on && this.#outline.sections.length > 0) {
        this.#outline.open(this.#outline.sections.at(-1).key, true);
      }
    });
  }

  /** Shows a line in the middle of the pane and marks it; 0 goes to the first line, -1 to the last. */
  goTo(line) {
    this.#setFollowing(false);
    if (line > 0) {
      this.#mark({ from: line, to: line });
      writeLines(this.#rows.marked);
      this.#show(line);
      return;
    }
    const end = line === -1;
    this.#target = null;
    this.#reveal(end ? this.#outline.total : 1);
    this.#resize();
    this.#place({ index: end ? this.#outline.length : 0, y: end ? this.#scroller.high : 0 }, true);
    this.#settle();
  }

  /** Changes what rows look like: { wrap, times }. */
  set(options) {
    Object.assign(this.#options, options);
    this.#viewport.classList.toggle('wrap', this.#options.wrap);
    this.#rows.clear();
    this.#sizer.style.minWidth = '';
    this.#schedule();
  }

  /** Highlights { text, regex, matchCase } in the rows, or nothing, and keeps it in the address. */
  find(query) {
    this.#rows.sought = query;
    writeQuery({ find: query?.text, regex: query?.regex && '1', case: query?.matchCase && '1' });
    this.#rows.clear();
    this.#schedule();
  }

  /** The next or previous match among the lines that are here, going round: { line, index, total, timedOut } or null. */
  findHeld(query, from, backwards) {
    const found = this.#pages.held(line => marksIn(line.output, query).length > 0);
    if (found.length === 0) {
      return null;
    }
    const at = backwards ? found.findLastIndex(line => line <= from) : found.findIndex(line => line >= from);
    const index = at >= 0 ? at : backwards ? found.length - 1 : 0;
    return { line: found[index], index: index + 1, total: found.length, timedOut: false };
  }

  /** The number of the first line that is in view. */
  topLine() {
    const { index, y } = this.#scroller.anchor;
    for (let at = Math.max(0, Math.floor(index - y / this.#rows.rowHeight)); at < this.#outline.length; at++) {
      const { line } = this.#outline.at(at);
      if (line) {
        return line;
      }
    }
    return Math.max(1, this.#outline.total);
  }

  /** These lines have so many comments: [[line, count], …]. */
  remark(remarks) {
    this.#rows.remark(remarks);
  }

  /** Takes the mark away. */
  unmark() {
    this.#rows.mark(null);
    writeLines(null);
  }

  focus() {
    this.#viewport.focus({ preventScroll: true });
  }

  dispose() {
    this.#abort.abort();
    this.#observer.disconnect();
    cancelAnimationFrame(this.#frame);
    clearTimeout(this.#tick);
    clearTimeout(this.#settling);
    this.#pages.close();
  }

  // --- position -------------------------------------------------------------------------------------------------

  #measureRow() {
    const style = getComputedStyle(this.#viewport);
    this.#rows.rowHeight = parseFloat(style.lineHeight) || this.#rows.rowHeight;
    this.#rows.headingHeight = parseFloat(style.getPropertyValue('--heading')) || this.#rows.headingHeight;
  }

  #resize() {
    this.#scroller.resize(this.#outline.length, this.#rows.natural(this.#outline.length, this.#outline.headings));
  }

  // The height of the whole log where all of it is painted (wrapped rows make it more than is computed).
  #paintedHeight() {
    return this.#rows.painted === this.#outline.length && this.#outline.length > 0 ? this.#rows.height : 0;
  }

  #place(anchor, snap) {
    this.#resize();
    this.#scroller.place(anchor, this.#paintedHeight(), snap);
    this.#schedule();
  }

  // Makes a change with what is on the screen staying where it is, or, when following, with the end in view.
  #keep(change) {
    const { index, y } = this.#scroller.anchor;
    const whole = Math.min(Math.floor(index), this.#outline.length - 1);
    const thing = this.#outline.at(whole);
    change();
    this.#resize();
    if (this.#following) {
      this.#scroller.toEnd(this.#paintedHeight());
      this.#schedule();
    } else {
      const now = !thing ? 0 : thing.section ? this.#outline.indexOfHeading(thing.section.key) : this.#outline.indexOf(thing.line);
      this.#place({ index: clampIndex(now + (thing ? index - whole : 0), this.#outline.length), y }, false);
    }
  }

  #show(line) {
    line = Math.min(line, Math.max(1, this.#outline.total));
    this.#target = line;
    this.#setFollowing(false);
    this.#reveal(line);
    this.#resize();
    this.#place({ index: this.#outline.indexOf(line), y: this.#rows.marked ? Math.floor(this.#scroller.high / 3) : 0 }, true);
    this.#settle();
  }

  #reveal(line) {
    const section = this.#outline.total > 0 ? this.#outline.sectionOf(line) : null;
    if (section && !this.#outline.isOpen(section.key)) {
      this.#outline.open(section.key, true);
    }
  }

  #moved(atEnd) {
    this.#target = null;
    this.#setFollowing(!this.#complete && atEnd);
    this.#schedule();
    this.#settle();
  }

  // The address tells where the reader is, once they have come to rest.
  #settle() {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => {
      const atStart = this.#scroller.anchor.index === 0;
      writeQuery({ at: this.#following || atStart || this.#rows.marked?.from === this.#target ? null : String(this.topLine()) });
    }, Settled);
  }

  #wheel(event) {
    if (event.deltaY < 0 && !event.ctrlKey) {
      this.#setFollowing(false);
    }
    this.#scroller.wheel(event, this.#rows.rowHeight);
  }

  #resized() {
    this.#viewport.classList.toggle('wrap', this.#options.wrap);
    this.#measureRow();
    this.#keep(() => {});
  }

  #setFollowing(on) {
    if (on !== this.#following) {
      this.#following = on;
      this.#seen = this.#outline.shown;
      this.#owner.invokeMethodAsync('OnFollowing', on);
    }
  }

  // --- painting -------------------------------------------------------------------------------------------------

  #schedule() {
    if (this.#frame === 0 && !this.#abort.signal.aborted) {
      this.#frame = requestAnimationFrame(() => {
        this.#frame = 0;
        this.#paint();
      });
    }
  }

  #paint() {
    const high = this.#scroller.high;
    if (high === 0) {
      return;
    }
    const { index, y } = this.#scroller.anchor;
    const length = this.#outline.length;
    const middle = Math.max(0, Math.min(Math.floor(index), length - 1));
    const from = Math.max(0, middle - Math.ceil(Math.max(0, y) / this.#rows.rowHeight) - 2);
    const to = Math.min(length, middle + Math.ceil(Math.max(0, high - y) / this.#rows.rowHeight) + 2);
    this.#layer.style.height = `${high}px`;
    this.#rows.fill(this.#outline, this.#pages, from, to);
    this.#want(from, to);
    this.#tell();

    const rows = this.#layer.firstChild;
    if (from === 0 && to === length) {
      this.#scroller.measured(this.#rows.height, this.#following);
      if (this.#rows.height <= high) {
        rows.style.transform = '';
        return;
      }
    }
    rows.style.transform = `translateY(${(y - this.#rows.offset(this.#outline, index, from)).toFixed(2)}px)`;
    if (!this.#options.wrap && this.#rows.width > this.#sizer.offsetWidth) {
      // Once as wide as the widest line seen: the bar below must not jump while scrolling.
      this.#sizer.style.minWidth = `${this.#rows.width}px`;
    }
  }

  #want(from, to) {
    const lines = [];
    for (let index = from; index < to; index++) {
      const { line } = this.#outline.at(index);
      if (line) {
        lines.push(line);
      }
    }
    const step = this.#scroller.direction * Ahead;
    const edge = step > 0 ? to - 1 : from;
    const ahead = [edge + step, edge + 2 * step].map(index => this.#outline.at(index)?.line).filter(Boolean);
    this.#pages.want(lines, ahead, this.#outline.total);
  }

  #tell() {
    const total = this.#outline.total;
    const all = total === 1 ? '1 line' : `${total.toLocaleString('en')} lines`;
    this.#count.textContent = this.#outline.filtered ? `${this.#outline.shown.toLocaleString('en')} of ${all}` : all;
    const fresh = this.#following ? 0 : this.#outline.shown - this.#seen;
    this.#fresh.hidden = fresh <= 0;
    if (fresh > 0) {
      this.#fresh.querySelector('.fresh-count').textContent =
        fresh === 1 ? '1 new line' : `${fresh.toLocaleString('en')} new lines`;
    }
    clearTimeout(this.#tick);
    if (this.#outline.sections.some(section => section.seconds === null)) {
      this.#tick = setTimeout(() => this.#schedule(), 1000);
    }
  }

  // --- marks and keys -------------------------------------------------------------------------------------------

  #readAddress() {
    const marked = linesInAddress();
    const top = marked?.from ?? (this.#outline.total === 0 ? topInAddress() : null);
    if (marked) {
      this.#mark(marked);
    }
    if (top) {
      this.#target = top;
      this.#setFollowing(false);
      if (this.#outline.total > 0) {
        this.#show(top);
      }
    }
  }

  #mark(marked) {
    this.#rows.mark(marked);
    this.#owner.invokeMethodAsync('OnMarked', marked.from, marked.to);
  }

  #clicked(event) {
    const heading = event.target.closest('.fold')?.parentElement;
    if (heading) {
      this.#toggle(heading);
      return;
    }
    const remark = event.target.closest('.c');
    if (remark) {
      this.#owner.invokeMethodAsync('OnRemark', Number(remark.parentElement.dataset.line));
      return;
    }
    const link = event.target.closest('a.n');
    if (!link || event.ctrlKey || event.metaKey || event.button !== 0) {
      return;
    }
    event.preventDefault();
    const line = Number(link.parentElement.dataset.line);
    const other = event.shiftKey && this.#rows.marked ? this.#rows.marked.from : line;
    this.#mark({ from: Math.min(line, other), to: Math.max(line, other) });
    writeLines(this.#rows.marked);
  }

  // The heading stays under the reader's hand.
  #toggle(heading) {
    const key = heading.dataset.section;
    const y = heading.getBoundingClientRect().top - this.#viewport.getBoundingClientRect().top;
    const open = !this.#outline.isOpen(key);
    this.#target = null;
    this.#outline.open(key, open);
    if (open) {
      this.#setFollowing(false);
    }
    this.#place({ index: this.#outline.indexOfHeading(key), y }, true);
  }

  // Handled here and not by the circuit: the browser lets a page copy only right after the reader's own click.
  async #copy(what) {
    if (!what || !this.#rows.marked) {
      return;
    }
    const { from, to } = this.#rows.marked;
    let done = true;
    try {
      await copy(what === 'link'
        ? Promise.resolve(addressOf(from, to).href)
        : this.#pages.read(from, Math.min(to, this.#outline.total)).then(lines => lines.map(line => plainText(line.output)).join('\n')));
    } catch {
      done = false;
    }
    this.#owner.invokeMethodAsync('OnCopied', done);
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target !== this.#viewport) {
      return;
    }
    const row = this.#rows.rowHeight;
    const page = this.#scroller.high - row;
    const moves = { ArrowUp: -row, ArrowDown: row, PageUp: -page, PageDown: page };
    if (event.key in moves) {
      this.#scroller.moveBy(moves[event.key]);
    } else if (event.key === 'Home' || event.key === 'g') {
      this.goTo(0);
    } else if (event.key === 'End' || event.key === 'G') {
      this.#complete ? this.goTo(-1) : this.follow(true);
    } else if (event.key === ' ') {
      this.follow(!this.#following);
    } else if (OwnerKeys.includes(event.key)) {
      this.#owner.invokeMethodAsync('OnKey', event.key);
      event.stopPropagation();   // one press closes one thing
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

function clampIndex(index, length) {
  return Math.min(length, Math.max(0, index));
}
