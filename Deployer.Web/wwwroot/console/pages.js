// The lines of a log that the browser holds: pages of 500 by line number, the least recently used forgotten.

const PageLines = 500;
const KeptPages = 60;
const Ahead = 2;
const InFlight = 4;
const RetryAfter = 1500;

/** Lines of a log by number, fetched from address (…/logs) where they are missing; arrived is called when some came. */
export class Pages {
  #address;
  #arrived;
  #pages = new Map();    // page number → its lines by index; in order of use, oldest first
  #loading = new Map();  // page number → AbortController
  #wanted = [];
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

  /** Wants lines from … to (0-based, half open) of total, and then some further on in the direction (1 or -1). */
  want(from, to, total, direction) {
    if (total === 0) {
      return;
    }
    const first = Math.floor(from / PageLines);
    const last = Math.floor(Math.max(from, to - 1) / PageLines);
    const lastOfAll = Math.floor((total - 1) / PageLines);
    const wanted = [];
    for (let page = first; page <= last; page++) {
      const kept = this.#pages.get(page);
      if (kept) {
        this.#pages.delete(page);
        this.#pages.set(page, kept);
      }
      if (!this.#has(page, from, to)) {
        wanted.push(page);
      }
    }
    for (let ahead = 1; ahead <= Ahead; ahead++) {
      const page = direction > 0 ? last + ahead : first - ahead;
      if (page >= 0 && page <= lastOfAll && !this.#has(page, 0, total)) {
        wanted.push(page);
      }
    }
    this.#wanted = wanted;
    for (const [page, loading] of this.#loading) {
      if (!wanted.includes(page)) {
        loading.abort();
      }
    }
    this.#load();
  }

  /** Reads lines from … to (1-based, inclusive), from here or from the server, as far as there are. */
  async read(from, to) {
    const lines = [];
    for (let number = from; number <= to; number++) {
      if (!this.line(number)) {
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

  /** Ends all fetching. */
  close() {
    this.#closed = true;
    for (const loading of this.#loading.values()) {
      loading.abort();
    }
  }

  #has(page, from, to) {
    const kept = this.#pages.get(page);
    if (!kept) {
      return false;
    }
    const start = page * PageLines;
    const end = Math.min(to, start + PageLines);
    for (let line = Math.max(from, start); line < end; line++) {
      if (!kept[line - start]) {
        return false;
      }
    }
    return true;
  }

  #forget() {
    for (const page of this.#pages.keys()) {
      if (this.#pages.size <= KeptPages) {
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
      for (const line of await this.#get(page * PageLines + 1, loading.signal)) {
        this.keep(line);
      }
    } catch {
      wait = loading.signal.aborted ? 0 : RetryAfter;
    }
    // Where the server is away or struggling, what is on the screen asks again after a while.
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
