// The lines of a log that the browser holds: pages of 500 by line number, the least recently used forgotten.

const PageLines = 500;
const KeptPages = 60;
const HeldPages = 100;
const InFlight = 4;
const RetryAfter = 1500;

/**
 * Lines of a log by number, fetched from address (…/logs) where they are missing; arrived is called when some came.
 * Without an address nobody else has the lines: the last 50,000 that came are held.
 */
export class Pages {
  #address;
  #arrived;
  #pages = new Map();    // page number → its lines by index; in order of use, oldest first
  #loading = new Map();  // page number → AbortController
  #wanted = new Set();
  #needed = 0;           // pages that are in view
  #closed = false;

  constructor(address, arrived) {
    this.#address = address;
    this.#arrived = arrived;
  }

  /** The line of a number, or undefined while it is not here. */
  line(number) {
    return this.#pages.get(Math.floor((number - 1) / PageLines))?.[(number - 1) % PageLines];
  }

  /** Takes a line that came by another way. */
  keep(line) {
    const page = Math.floor((line.line - 1) / PageLines);
    let lines = this.#pages.get(page);
    if (!lines) {
      this.#pages.set(page, lines = new Array(PageLines));
      this.#forget();
    }
    lines[(line.line - 1) % PageLines] = line;
  }

  /** Wants lines, ascending, for now, and the pages of others (ahead) for soon, of a log with so many in total. */
  want(lines, ahead, total) {
    if (!this.#address) {
      return;
    }
    const wanted = new Set();
    const needed = new Set();
    for (const number of lines) {
      const page = Math.floor((number - 1) / PageLines);
      needed.add(page);
      if (!this.line(number)) {
        wanted.add(page);
      }
    }
    for (const page of needed) {
      const kept = this.#pages.get(page);
      if (kept) {
        this.#pages.delete(page);
        this.#pages.set(page, kept);
      }
    }
    for (const number of ahead) {
      const page = Math.floor((number - 1) / PageLines);
      if (!this.#whole(page, total)) {
        wanted.add(page);
      }
    }
    this.#needed = needed.size;
    this.#wanted = wanted;
    for (const [page, loading] of this.#loading) {
      if (!wanted.has(page)) {
        loading.abort();
      }
    }
    this.#load();
  }

  /** Reads lines from … to (1-based, inclusive), from here or from the server, as far as there are. */
  async read(from, to) {
    const lines = [];
    for (let number = from; number <= to; number++) {
      if (!this.line(number) && this.#address) {
        for (const line of await this.#get(number, AbortSignal.timeout(10_000))) {
          this.keep(line);
        }
      }
      const line = this.line(number);
      if (!line) {
        break;
      }
      lines.push(line);
    }
    return lines;
  }

  /** Numbers of the lines that are here and meet the test, ascending. */
  held(test) {
    const numbers = [];
    for (const lines of this.#pages.values()) {
      for (const line of lines) {
        if (line && test(line)) {
          numbers.push(line.line);
        }
      }
    }
    return numbers.sort((one, other) => one - other);
  }

  /** Ends all fetching. */
  close() {
    this.#closed = true;
    for (const loading of this.#loading.values()) {
      loading.abort();
    }
  }

  #whole(page, total) {
    const kept = this.#pages.get(page);
    const end = Math.min(PageLines, total - page * PageLines);
    for (let index = 0; index < end; index++) {
      if (!kept?.[index]) {
        return false;
      }
    }
    return true;
  }

  #forget() {
    for (const page of this.#pages.keys()) {
      if (this.#pages.size <= (this.#address ? Math.max(KeptPages, this.#needed + 10) : HeldPages)) {
        return;
      }
      this.#pages.delete(page);
    }
  }

  #load() {
    for (const page of this.#wanted) {
      if (this.#loading.size >= InFlight) {
        return;
      }
      if (!this.#loading.has(page)) {
        this.#fetch(page);
      }
    }
  }

  async #fetch(page) {
    const loading = new AbortController();
    this.#loading.set(page, loading);
    let wait = 0;
    try {
      const lines = await this.#get(page * PageLines + 1, loading.signal);
      for (const line of lines) {
        this.keep(line);
      }
      wait = lines.length > 0 ? 0 : RetryAfter;
    } catch {
      wait = loading.signal.aborted ? 0 : RetryAfter;
    }
    // Where the server is away or struggling, or has the lines no more, what is on the screen asks again after a while.
    setTimeout(() => {
      this.#loading.delete(page);
      if (!this.#closed) {
        this.#arrived();
      }
    }, wait);
  }

  async #get(from, signal) {
    const response = await fetch(
      `${this.#address}?from_line=${from}&limit=${PageLines}`, { signal, headers: { accept: 'application/json' } });
    if (!response.ok) {
      throw new Error(`${response.status}`);
    }
    return (await response.json()).logs;
  }
}
