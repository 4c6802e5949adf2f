// What stands in the pane, from top to bottom: the lines of a log under the headings of its sections, without the lines
// of closed sections and without those that a filter leaves out. An index counts what stands there, from 0; a line
// keeps its number.

/** A section is { key, first, open, … }, first being its first line, or null; it is given its count of lines. */
export class Outline {
  #total = 0;
  #sections = [];
  #opened = new Map();    // key → whether the reader, or the first sight of it, opened it
  #told = false;          // whether sections were told already
  #all = null;            // whether the reader opened or closed all before that
  #runs = null;           // numbers of the lines that a filter lets through: [from, to, from, to, …], or null for all
  #items = [];            // { at, section } or { at, from, count }, ascending
  #length = 0;
  #shown = 0;
  #headings = [];         // those of the items that are headings

  /** How much stands there. */
  get length() { return this.#length; }

  /** How many lines the log has. */
  get total() { return this.#total; }

  /** How many of them stand there, or would if their sections were open. */
  get shown() { return this.#shown; }

  /** How many headings stand there. */
  get headings() { return this.#headings.length; }

  get filtered() { return this.#runs !== null; }

  /** The log has grown. */
  grow(total) {
    const before = this.#total;
    if (total <= before) {
      return;
    }
    this.#total = total;
    const last = this.#sections.at(-1);
    if (this.#runs || (last && (last.first === null || last.first > before))) {
      this.#build();
      return;
    }
    this.#shown = total;
    if (last) {
      last.count += total - before;
    }
    if (!last || this.isOpen(last.key)) {
      this.#append(before + 1, total);
    }
  }

  /** The sections that have begun, in order. The first ones are open as they say, or as the reader said; one that begins later is open. */
  set sections(sections) {
    for (const section of sections) {
      if (!this.#opened.has(section.key)) {
        this.#opened.set(section.key, this.#told || (this.#all ?? section.open));
      }
    }
    this.#told = true;
    this.#sections = sections;
    this.#build();
  }

  get sections() { return this.#sections; }

  isOpen(key) { return this.#opened.get(key) ?? true; }

  /** Opens or closes a section, or, without a key, all. */
  open(key, open) {
    if (key === null && !this.#told) {
      this.#all = open;
    }
    for (const section of this.#sections) {
      if (key === null || section.key === key) {
        this.#opened.set(section.key, open);
      }
    }
    this.#build();
  }

  /** Shows these lines alone, [from, to, from, to, …] ascending; null shows all. */
  filter(runs) {
    this.#runs = runs;
    this.#build();
  }

  /** More lines that the filter lets through, after those before. */
  match(runs) {
    addRuns(this.#runs, runs);
    this.#build();
  }

  /** The section that a line belongs to; null when none. */
  sectionOf(line) {
    return this.#sections.findLast(section => section.start <= line) ?? null;
  }

  /** What stands at an index: { line } or { section }, or null. */
  at(index) {
    const item = this.#items[this.#search(item => item.at <= index)];
    if (!item || index >= this.#length) {
      return null;
    }
    return item.section ? { section: item.section } : { line: item.from + index - item.at };
  }

  /** The index of a line; where it does not stand there, of what comes next in its place. */
  indexOf(line) {
    const before = this.#search(item => item.section ? item.section.start <= line : item.from <= line);
    const item = this.#items[before];
    if (!item) {
      return 0;
    }
    return item.section ? item.at + 1 : item.at + Math.min(line - item.from, item.count);
  }

  /** Whether a line stands there. */
  holds(line) {
    return this.at(this.indexOf(line))?.line === line;
  }

  /** The index of a heading; -1 when there is none. */
  indexOfHeading(key) {
    return this.#headings.find(item => item.section.key === key)?.at ?? -1;
  }

  /** How many headings stand in [from, to). */
  headingsIn(from, to) {
    return this.#headings.filter(item => item.at >= from && item.at < to).length;
  }

  #build() {
    this.#items = [];
    this.#length = 0;
    this.#shown = 0;
    this.#headings = [];
    // A section without a line yet begins where the next one does, or after the last line.
    let next = this.#total + 1;
    for (const section of this.#sections.toReversed()) {
      next = section.start = Math.min(section.first ?? next, next);
    }
    this.#put(1, next - 1, true);
    this.#sections.forEach((section, index) => {
      const heading = { at: this.#length++, section };
      this.#items.push(heading);
      const before = this.#shown;
      this.#put(section.start, (this.#sections[index + 1]?.start ?? this.#total + 1) - 1, this.isOpen(section.key));
      section.count = this.#shown - before;
      if (this.#runs && section.count === 0) {
        this.#items.pop();
        this.#length--;
      } else {
        this.#headings.push(heading);
      }
    });
  }

  // The lines from … to, as far as the filter lets them through; counted, and put there if their section is open.
  #put(from, to, open) {
    if (from > to) {
      return;
    }
    if (!this.#runs) {
      this.#shown += to - from + 1;
      if (open) {
        this.#append(from, to);
      }
      return;
    }
    for (let run = this.#runAt(from); run < this.#runs.length && this.#runs[run] <= to; run += 2) {
      const first = Math.max(from, this.#runs[run]);
      const last = Math.min(to, this.#runs[run + 1]);
      if (first <= last) {
        this.#shown += last - first + 1;
        if (open) {
          this.#append(first, last);
        }
      }
    }
  }

  #append(from, to) {
    const last = this.#items.at(-1);
    if (last && !last.section && last.from + last.count === from) {
      last.count += to - from + 1;
    } else {
      this.#items.push({ at: this.#length, from, count: to - from + 1 });
    }
    this.#length += to - from + 1;
  }

  // The index in #runs of the first run that does not end before a line.
  #runAt(line) {
    let low = 0;
    let high = this.#runs.length / 2;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#runs[middle * 2 + 1] < line) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low * 2;
  }

  // The last item for which a test holds that holds for all before it.
  #search(test) {
    let low = 0;
    let high = this.#items.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (test(this.#items[middle])) {
        low = middle + 1;
      } else {
        high = middle;
      }
    }
    return low - 1;
  }
}

/** Adds [from, to, from, to, …] to others of that kind; what was added before is left out, so it may come twice. */
export function addRuns(runs, more) {
  for (let index = 0; index < more.length; index += 2) {
    const last = runs.at(-1) ?? 0;
    const from = Math.max(more[index], last + 1);
    const to = more[index + 1];
    if (from > to) {
      continue;
    }
    if (runs.length > 0 && from === last + 1) {
      runs[runs.length - 1] = to;
    } else {
      runs.push(from, to);
    }
  }
}
