// The rows of the pane: a pool that holds what is in view and little more. All text reaches it through text nodes.
import { marksIn, paint, plainText } from './ansi.js';
import { clockText, tookText } from './clock.js';

const NarrowStep = 4;

// What programs write when something went wrong and they did not say so on standard error.
const Complaint = /\b(error|fatal|panic|exception|failed)\b/i;

export class Rows {
  #element;
  #live = new Map();   // line, or the key of a heading → its row
  options;
  marked = null;       // { from, to }
  sought = null;       // { text, regex, matchCase }
  #remarks = new Map(); // line → how many comments are pinned to it
  rowHeight = 20;
  headingHeight = 30;

  constructor(element, options) {
    this.#element = element;
    this.options = options;
  }

  get painted() { return this.#live.size; }

  get height() { return this.#element.offsetHeight; }

  get width() { return this.#element.offsetWidth; }

  /** How high so much is, as long as nothing is wrapped. */
  natural(length, headings) {
    return length * this.rowHeight + headings * (this.headingHeight - this.rowHeight);
  }

  /** Forgets what rows look like. */
  clear() {
    this.#live.clear();
    this.#element.replaceChildren();
  }

  mark(marked) {
    this.marked = marked;
    for (const [line, row] of this.#live) {
      row.classList.toggle('marked', marked !== null && line >= marked.from && line <= marked.to);
    }
  }

  /** These lines have so many comments: [[line, count], …]. Rows that show it otherwise are made anew. */
  remark(remarks) {
    const before = this.#remarks;
    this.#remarks = new Map(remarks);
    for (const line of new Set([...before.keys(), ...this.#remarks.keys()])) {
      const row = this.#live.get(line);
      if (row && before.get(line) !== this.#remarks.get(line)) {
        row.querySelector('.c')?.remove();
        this.#hang(row, line);
      }
    }
  }

  /** Shows the things from … to (half open) of the outline with the lines of the pages. */
  fill(outline, pages, from, to) {
    this.#element.style.setProperty('--digits', String(Math.max(NarrowStep, String(outline.total).length)));
    const wanted = new Map();
    for (let index = from; index < to; index++) {
      const thing = outline.at(index);
      wanted.set(thing.section ? thing.section.key : thing.line, thing);
    }
    for (const [key, row] of this.#live) {
      if (!wanted.has(key)) {
        row.remove();
        this.#live.delete(key);
      }
    }
    let next = this.#element.firstChild;
    for (const [key, thing] of wanted) {
      let row = this.#live.get(key);
      if (thing.section) {
        row ??= this.#heading();
        this.#tell(row, thing.section, outline);
      } else {
        const line = pages.line(key);
        if (row?.pending && line) {
          const filled = this.#row(key, line);
          next = next === row ? filled : next;
          row.replaceWith(filled);
          row = filled;
        }
        row ??= this.#row(key, line);
      }
      this.#live.set(key, row);
      if (row === next) {
        next = next.nextSibling;
      } else {
        this.#element.insertBefore(row, next);
      }
    }
  }

  /** How far below the top of the rows, which begin at an index, a point is. */
  offset(outline, at, from) {
    const whole = Math.floor(at);
    if (!this.options.wrap && outline.headingsIn(from, whole + 1) === 0) {
      return (at - from) * this.rowHeight;
    }
    const thing = outline.at(whole);
    const row = thing && this.#live.get(thing.section ? thing.section.key : thing.line);
    return row ? row.offsetTop + (at - whole) * row.offsetHeight : this.#element.offsetHeight;
  }

  /** The row of a line or heading, where there is one. */
  row(key) {
    return this.#live.get(key);
  }

  #row(number, line) {
    const row = span('row');
    row.dataset.line = number;
    row.classList.toggle('marked', this.marked !== null && number >= this.marked.from && number <= this.marked.to);
    const link = document.createElement('a');
    link.className = 'n';
    link.textContent = number;
    link.href = `${location.pathname}${location.search}#L${number}`;
    link.tabIndex = -1;
    link.setAttribute('aria-label', `Line ${number}`);
    row.append(link);
    this.#hang(row, number);
    if (!line) {
      row.pending = true;
      row.classList.add('pending');
      return row;
    }
    row.classList.add(line.stream);
    if (this.options.pages) {
      link.title = line.created_at;
    }
    if (this.options.times !== 'off') {
      const time = span('t');
      time.textContent = clockText(line.created_at, this.options.times, this.options.start);
      time.title = line.created_at;
      row.append(time);
    }
    const text = span('x');
    paint(text, line.output, marksIn(line.output, this.sought));
    if (Complaint.test(plainText(line.output))) {
      row.classList.add('complaint');
    }
    row.append(text);
    return row;
  }

  // The sign that a line has comments: a button, so that the keyboard reaches it, before the line's number.
  #hang(row, number) {
    const count = this.#remarks.get(number);
    if (!count) {
      return;
    }
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'c';
    button.title = `${count === 1 ? '1 comment' : `${count} comments`} on line ${number}`;
    button.setAttribute('aria-label', button.title);
    row.prepend(button);
  }

  #heading() {
    const row = span('heading');
    const button = document.createElement('button');
    button.type = 'button';
    button.className = 'fold';
    for (const name of ['chevron', 'state', 'name', 'many', 'took']) {
      button.append(span(name));
    }
    button.children[0].setAttribute('aria-hidden', 'true');
    row.append(button);
    return row;
  }

  #tell(row, section, outline) {
    const button = row.firstChild;
    const [, state, name, many, took] = button.children;
    const open = outline.isOpen(section.key);
    row.dataset.section = section.key;
    row.className = `heading ${section.state}`;
    button.setAttribute('aria-expanded', open ? 'true' : 'false');
    set(state, section.says);
    set(name, section.name);
    set(many, section.count === 1 ? '1 line' : `${section.count.toLocaleString('en')} lines`);
    set(took, durationText(section));
  }
}

// '12 s', or '12 s of about 15 s' while it runs, or '1 min 2 s, usually 15 s' where that is far off.
function durationText(section) {
  const seconds = section.seconds ?? (Date.now() - section.seen) / 1000 + section.since;
  const text = tookText(seconds);
  if (section.expected === null) {
    return text;
  }
  const usual = tookText(section.expected);
  return section.seconds === null ? `${text} of about ${usual}` : `${text}, usually ${usual}`;
}

function set(element, text) {
  if (element.textContent !== text) {
    element.textContent = text;
  }
}

function span(name) {
  const element = document.createElement('span');
  element.className = name;
  return element;
}
