/** A program by what it calls itself, as people would: Firefox, Windows. Knows no DOM. */

// The first that fits: what pretends to be another comes before it.
const PROGRAMS = ['Edg', 'OPR', 'SamsungBrowser', 'Firefox', 'Chrome', 'Safari', 'curl', 'python']
const SYSTEMS = ['Android', 'iPhone', 'iPad', 'Windows', 'Mac OS', 'CrOS', 'Linux']
const NAMES: Record<string, string> = { Edg: 'Edge', OPR: 'Opera', SamsungBrowser: 'Samsung Internet', 'Mac OS': 'macOS', CrOS: 'ChromeOS' }

export function clientName(agent: string): string {
  const found = [PROGRAMS, SYSTEMS].flatMap((names) => names.find((name) => agent.includes(name)) ?? [])
  return found.length ? found.map((name) => NAMES[name] ?? name).join(', ') : agent
}
