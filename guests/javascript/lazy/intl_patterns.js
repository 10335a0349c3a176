//! Patterns of dates: which pattern does a locale have for a set of fields?
//!
//! As UTS 35 says of skeletons, in the order of steps of ICU's pattern generator, so that the results are those of ICU: the closest known
//! pattern is taken, its fields get the requested widths, and fields that no pattern has are appended.
(native, internal) => {
  const [ERA, YEAR, , MONTH, , , WEEKDAY, , , DAY, PERIOD, HOUR, MINUTE, SECOND, FRACTION, ZONE] = Array.from({ length: 16 }, (_, i) => i);
  const NARROW = -0x101, SHORTER = -0x102, SHORT = -0x103, LONG = -0x104, NUMERIC = 0x100, DELTA = 0x10;
  // Of each letter: its field, and for growing lengths what kind of value it is. Numbers have their length added.
  const letters = {
    G: [ERA, [1, SHORT], [4, LONG], [5, NARROW]], y: [YEAR, [1, NUMERIC]], Y: [YEAR, [1, NUMERIC + DELTA]], u: [YEAR, [1, NUMERIC + 2 * DELTA]],
    Q: [2, [1, NUMERIC], [3, SHORT], [4, LONG], [5, NARROW]], q: [2, [1, NUMERIC + DELTA], [3, SHORT - DELTA], [4, LONG - DELTA], [5, NARROW - DELTA]],
    M: [MONTH, [1, NUMERIC], [3, SHORT], [4, LONG], [5, NARROW]], L: [MONTH, [1, NUMERIC + DELTA], [3, SHORT - DELTA], [4, LONG - DELTA], [5, NARROW - DELTA]],
    w: [4, [1, NUMERIC]], W: [5, [1, NUMERIC]],
    E: [WEEKDAY, [1, SHORT], [4, LONG], [5, NARROW], [6, SHORTER]], c: [WEEKDAY, [1, NUMERIC + 2 * DELTA], [3, SHORT - 2 * DELTA], [4, LONG - 2 * DELTA], [5, NARROW - 2 * DELTA], [6, SHORTER - 2 * DELTA]],
    e: [WEEKDAY, [1, NUMERIC + DELTA], [3, SHORT - DELTA], [4, LONG - DELTA], [5, NARROW - DELTA], [6, SHORTER - DELTA]],
    d: [DAY, [1, NUMERIC]], D: [7, [1, NUMERIC]], F: [8, [1, NUMERIC]], g: [DAY, [1, NUMERIC + DELTA]],
    a: [PERIOD, [1, SHORT], [4, LONG], [5, NARROW]], b: [PERIOD, [1, SHORT - DELTA], [4, LONG - DELTA], [5, NARROW - DELTA]], B: [PERIOD, [1, SHORT - 3 * DELTA], [4, LONG - 3 * DELTA], [5, NARROW - 3 * DELTA]],
    H: [HOUR, [1, NUMERIC + 10 * DELTA]], k: [HOUR, [1, NUMERIC + 11 * DELTA]], h: [HOUR, [1, NUMERIC]], K: [HOUR, [1, NUMERIC + DELTA]],
    m: [MINUTE, [1, NUMERIC]], s: [SECOND, [1, NUMERIC]], S: [FRACTION, [1, NUMERIC]], A: [SECOND, [1, NUMERIC + DELTA]],
    v: [ZONE, [1, SHORT - 2 * DELTA], [4, LONG - 2 * DELTA]], z: [ZONE, [1, SHORT], [4, LONG]], Z: [ZONE, [1, NARROW - DELTA], [4, LONG - DELTA], [5, SHORT - DELTA]],
    O: [ZONE, [1, SHORT - DELTA], [4, LONG - DELTA]], V: [ZONE, [1, SHORT - DELTA], [2, LONG - DELTA]], X: [ZONE, [1, NARROW - DELTA]], x: [ZONE, [1, NARROW - DELTA]],
  };
  // A pattern as texts and fields `{ letter, length }`.
  const parse = (pattern) => {
    const parts = [];
    const literal = (text) => { if (typeof parts.at(-1) === 'string') parts[parts.length - 1] += text; else parts.push(text); };
    for (let i = 0; i < pattern.length;) {
      const letter = pattern[i];
      if (letter === "'") {
        if (pattern[i + 1] === "'") { literal("'"); i += 2; continue; }
        for (i++; i < pattern.length; i++) {
          if (pattern[i] !== "'") literal(pattern[i]);
          else if (pattern[i + 1] === "'") literal(pattern[i++]);
          else break;
        }
        i++;
        continue;
      }
      if (!/[A-Za-z]/.test(letter)) { literal(letter); i++; continue; }
      let end = i + 1;
      while (pattern[end] === letter) end++;
      parts.push({ letter, length: end - i });
      i = end;
    }
    return parts;
  };
  const quote = (text) => (/[A-Za-z']/.test(text) ? `'${text.replaceAll("'", "''")}'` : text);
  const unparse = (parts) => parts.map((part) => (typeof part === 'string' ? quote(part) : part.letter.repeat(part.length))).join('');

  // The fields of a skeleton: of each its kind, letter and length.
  const fieldsOf = (skeleton) => {
    const kinds = new Array(16).fill(0), given = new Array(16).fill(undefined);
    for (const part of parse(skeleton)) {
      if (typeof part === 'string' || !(part.letter in letters)) continue;
      const [field, ...rows] = letters[part.letter];
      let kind = rows[0][1];
      for (const [from, value] of rows) if (part.length >= from) kind = value;
      kinds[field] = kind > 0 ? kind + part.length : kind;
      given[field] = part;
    }
    const hour = given[HOUR]?.letter;
    if (hour === 'h' || hour === 'K') {
      if (given[PERIOD] === undefined) { given[PERIOD] = { letter: 'a', length: 1, isAdded: true }; kinds[PERIOD] = SHORT; }
    } else if (hour !== undefined) { given[PERIOD] = undefined; kinds[PERIOD] = 0; }
    return { kinds, given };
  };
  const DATE = 0b1111111111, TIME = 0b1111110000000000;
  const appendNames = ['Era', 'Year', 'Quarter', 'Month', 'Week', 'Week', 'Day-Of-Week', 'Day', 'Day-Of-Week', 'Day', 'Hour', 'Hour', 'Minute', 'Second', 'Second', 'Timezone'];

  const generator = (data, decimal) => {
    const known = new Map(), bases = new Set();
    const add = (skeleton, pattern, isOverride) => {
      const fields = fieldsOf(skeleton);
      // A pattern that is only a style gives way to any other with the same fields.
      const base = fields.given.map((part) => (part === undefined ? '' : part.letter.repeat(letters[part.letter].slice(1).reduce((least, [from]) => (part.length >= from ? from : least), 1)))).join('');
      if (!isOverride && bases.has(base)) return;
      bases.add(base);
      const key = fields.given.map((part) => (part === undefined ? '' : part.letter.repeat(part.length))).join('');
      if (isOverride || !known.has(key)) known.set(key, { ...fields, pattern });
    };
    for (const letter of 'GyQMwWEDFdaHmsv') add(letter, letter);
    for (const style of ['full', 'long', 'medium', 'short']) { add(data.date[style], data.date[style]); add(data.time[style], data.time[style]); }
    for (const [skeleton, pattern] of Object.entries(data.available)) add(skeleton, pattern, true);
    // In the order of the first letters, as ICU looks through them.
    const list = [...known.entries()].map(([key, value]) => [key.charCodeAt(0), value]).sort((a, b) => a[0] - b[0]).map(([, value]) => value);
    list.push({ ...fieldsOf('S'), pattern: 'S' });

    const closest = (wanted, mask) => {
      let best, least = Infinity, missing = 0, extra = 0;
      for (const candidate of list) {
        let distance = 0, without = 0, beyond = 0;
        for (let i = 0; i < 16 && distance < least; i++) {
          const mine = mask & (1 << i) ? wanted.kinds[i] : 0, other = candidate.kinds[i];
          if (mine === other) continue;
          if (mine === 0) { distance += 0x10000; beyond |= 1 << i; } else if (other === 0) { distance += 0x1000; without |= 1 << i; } else distance += Math.abs(mine - other);
        }
        if (distance < least) { best = candidate; least = distance; missing = without; extra = beyond; if (distance === 0) break; }
      }
      return { best, missing, extra };
    };
    const adjust = (pattern, wanted, specified, withFraction) => {
      const out = [];
      for (const part of parse(pattern)) {
        const field = typeof part === 'string' ? undefined : letters[part.letter]?.[0];
        if (field === undefined) { out.push(part); continue; }
        if (withFraction && field === SECOND) { out.push(part, decimal, { letter: 'S', length: wanted.given[FRACTION].length }); continue; }
        const asked = wanted.given[field];
        if (asked === undefined || wanted.kinds[field] === 0) { out.push(part); continue; }
        let { letter, length } = asked;
        if (letter === 'E' && length < 3) length = 3;
        let adjusted = length;
        const isOfPattern = letters[part.letter].slice(1).reduce((kind, [from, value]) => (part.length >= from ? value : kind), 0) > 0;
        if (field === MINUTE || field === SECOND) adjusted = part.length;
        else if (specified !== undefined && letter !== 'c' && letter !== 'e') {
          const has = specified.given[field]?.length, isOfSkeleton = specified.kinds[field] > 0;
          if (has === length || isOfPattern !== isOfSkeleton) adjusted = part.length;
        }
        let kept = field !== HOUR && field !== MONTH && field !== WEEKDAY && (field !== YEAR || letter === 'Y') ? letter : part.letter;
        if (kept === 'E' && adjusted < 3) kept = 'e';
        out.push({ letter: kept, length: adjusted });
      }
      return unparse(out);
    };
    const substitute = (joint, values) => joint.replace(/'((?:[^']|'')*)'|\{([012])\}/g, (whole, _, number) => (number === undefined ? whole : values[number]));
    const appending = (wanted, mask) => {
      if (mask === 0) return '';
      let { best, missing } = closest(wanted, mask);
      let pattern = adjust(best.pattern, wanted, best, false);
      for (let before = 0; missing !== 0 && missing !== before;) {
        const seconds = (1 << SECOND) | (1 << FRACTION);
        if ((missing & seconds) === 1 << FRACTION && (mask & seconds) === seconds) {
          pattern = adjust(pattern, wanted, best, true);
          missing &= ~(1 << FRACTION);
          continue;
        }
        before = missing;
        const next = closest(wanted, missing);
        const found = before & ~next.missing, top = 31 - Math.clz32(found);
        if (found === 0) break;
        pattern = substitute(data.append[appendNames[top]] ?? '{0} {1}', [pattern, adjust(next.best.pattern, wanted, next.best, false), quote(data.fields[top])]);
        missing = next.missing;
      }
      return pattern;
    };
    // The pattern of a date and a time together, by the width of the month.
    const join = (date, time, wanted) => {
      const month = wanted.given[MONTH]?.length;
      const style = month === 4 ? (wanted.given[WEEKDAY] === undefined ? 'long' : 'full') : month === 3 ? 'medium' : 'short';
      return substitute(data.at[style] ?? data.joint[style], [time, date]);
    };
    const memory = new Map();
    const pattern = (skeleton) => {
      if (memory.has(skeleton)) return memory.get(skeleton);
      const wanted = fieldsOf(skeleton), { best, missing, extra } = closest(wanted, -1);
      let result;
      if (missing === 0 && extra === 0) result = adjust(best.pattern, wanted, best, false);
      else {
        const mask = wanted.kinds.reduce((sum, kind, i) => (kind === 0 ? sum : sum | (1 << i)), 0);
        const date = appending(wanted, mask & DATE), time = appending(wanted, mask & TIME);
        result = date === '' ? time : time === '' ? date : join(date, time, wanted);
      }
      memory.set(skeleton, result);
      return result;
    };
    return { pattern, substitute };
  };
  // The skeleton of a pattern: its fields in order, each once.
  const order = 'GyYuQqMLwWEcedDFgabBHkhKmsSAzZOvVXx';
  const skeletonOf = (pattern) => {
    const { given } = fieldsOf(pattern);
    return given.filter((part) => part !== undefined && !part.isAdded).map(({ letter, length }) => letter.repeat(length)).join('').replace(/a+(?=[hK])/, '').replaceAll('L', 'M').replace(/c+/, (run) => 'E'.repeat(Math.max(run.length, 3)));
  };
  return { generator, parse, unparse, skeletonOf, order };
}
