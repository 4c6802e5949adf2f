// Times and durations in the pane.

/** '2026-11-23T15:04:05.123456789Z' → '15:04:05.123' in the reader's zone or in UTC, or '+3.210' since the start. */
export function clockText(time, kind, start) {
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

/** 0.4 → '0.4 s', 185 → '3 min 5 s', 7800 → '2 h 10 min'. */
export function tookText(seconds) {
  if (seconds < 9.95) {
    return `${Math.max(0, seconds).toFixed(1)} s`;
  }
  const whole = Math.floor(seconds);
  if (whole < 60) {
    return `${whole} s`;
  }
  return whole < 3600 ? `${Math.floor(whole / 60)} min ${whole % 60} s` : `${Math.floor(whole / 3600)} h ${Math.floor(whole % 3600 / 60)} min`;
}
