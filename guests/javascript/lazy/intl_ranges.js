//! Ranges of dates: how are two times written so that what they share is written once?
//!
//! As UTS 35 says of interval formats, in the order of steps of ICU: the pattern of the largest field that differs, with the widths that
//! were asked for; otherwise both times in full, with the locale's sign between.
(native, internal) => {
  const { parse, unparse, skeletonOf } = internal.lazy('intl_patterns');
  const isDate = (letter) => 'GyYuQqMLlWwdDFgEec'.includes(letter), isTime = (letter) => 'hHkKabBjmsSAzZvVO'.includes(letter);
  const runs = (skeleton) => [...skeleton.matchAll(/([A-Za-z])\1*/g)].map(([run]) => run);
  const widthsOf = (skeleton) => Object.fromEntries(runs(skeleton).map((run) => [run[0], run.length]));
  // The letters of the fields in which times can differ, from the largest.
  const LEVELS = ['G', 'y', 'M', 'd', 'a', 'h', 'm', 's', 'S'];

  // Dates have `M` and `d` for what was asked in other letters, and times have no halves of the day.
  const normalDate = (skeleton) => runs(skeleton).filter((run) => isDate(run[0])).map((run) => {
    const [letter] = run;
    if (letter === 'E' || letter === 'e' || letter === 'c') return run.length > 3 ? run.replace(/./g, 'E') : 'E';
    if (letter === 'y') return 'y';
    return letter === 'd' ? 'd' : run;
  }).map((run) => (run[0] === 'M' && run.length < 3 ? 'M' : run)).join('');
  const normalTime = (skeleton) => {
    const all = widthsOf(skeleton);
    const hour = 'h' in all || 'K' in all ? 'h' : 'H' in all || 'k' in all ? 'H' : '';
    const zone = 'z' in all ? 'z' : 'v' in all ? 'v' : 'O' in all ? 'O' : '';
    return `${'B' in all ? 'B' : ''}${hour}${'m' in all ? 'm' : ''}${'s' in all ? 's'.repeat(all.s) : ''}${'S' in all ? 'S'.repeat(all.S) : ''}${zone}`;
  };
  const ALPHABET = [...'GyYuQqMLwWEecdDFgaBbhHkKmsSzvO'];
  const closest = (intervals, wanted) => {
    const changed = wanted.replaceAll('z', 'v').replaceAll('O', 'v').replaceAll('k', 'H').replaceAll('K', 'h').replace(/[ab]/g, '');
    const mine = widthsOf(changed);
    let best, least = Infinity, difference = 0;
    for (const skeleton of Object.keys(intervals)) {
      const other = widthsOf(skeleton);
      let distance = 0, kind = 1;
      for (const letter of ALPHABET) {
        const a = mine[letter] ?? 0, b = other[letter] ?? 0;
        if (a === b) continue;
        if (a === 0 || b === 0) { kind = -1; distance += 0x1000; } else if (letter === 'M' && (a <= 2) !== (b <= 2)) distance += 0x100; else distance += Math.abs(a - b);
      }
      if (distance < least) { best = skeleton; least = distance; difference = kind; }
      if (distance === 0) { difference = 0; break; }
    }
    return { best, difference: changed !== wanted && difference !== -1 ? 2 : difference };
  };
  // An interval pattern with the widths that were asked for.
  const widen = (pattern, wanted, best) => {
    const asked = widthsOf(wanted), has = widthsOf(best);
    if ('z' in asked) { asked.v = asked.z; pattern = pattern.replaceAll('v', 'z'); asked.z ??= asked.v; has.z = has.v; }
    if ('O' in asked) { pattern = pattern.replaceAll('v', 'O'); has.O = has.v; }
    if ('K' in asked) { pattern = pattern.replaceAll('h', 'K'); has.K = has.h; }
    if ('k' in asked) { pattern = pattern.replaceAll('H', 'k'); has.k = has.H; }
    return unparse(parse(pattern).map((part) => {
      if (typeof part === 'string') return part;
      const letter = part.letter === 'L' ? 'M' : part.letter === 'c' ? 'E' : part.letter;
      return has[letter] === part.length && asked[letter] > part.length ? { letter: part.letter, length: asked[letter] } : part;
    }));
  };
  const split = (pattern) => {
    const list = parse(pattern), seen = new Set();
    let at = list.length;
    for (const [i, part] of list.entries()) {
      if (typeof part === 'string') continue;
      if (seen.has(part.letter)) { at = i; break; }
      seen.add(part.letter);
    }
    return [list.slice(0, at), list.slice(at)];
  };
  const hasField = (skeleton, level) => runs(skeleton).some(([letter]) => letter === level || (level === 'h' && 'hHkK'.includes(letter)) || (level === 'M' && 'ML'.includes(letter)) || (level === 'd' && 'dEec'.includes(letter)));
  const isIgnored = (skeleton, level) => {
    const rank = (letter) => ('G'.includes(letter) ? 0 : 'yu'.includes(letter) ? 1 : 'ML'.includes(letter) ? 2 : 'dEec'.includes(letter) ? 3 : 'aB'.includes(letter) ? 4 : 'hHkK'.includes(letter) ? 5 : letter === 'm' ? 6 : letter === 's' ? 7 : letter === 'S' ? 8 : -1);
    return Math.max(...runs(skeleton).map(([letter]) => rank(letter))) < LEVELS.indexOf(level);
  };

  // For each level the pattern: `{ both }` is an interval pattern, `{ full }` is written for either time.
  const patternsOf = (own) => {
    const { data } = own, { intervals, generator } = data, result = {};
    const skeleton = skeletonOf(own.pattern);
    const dateSkeleton = runs(skeleton).filter((run) => isDate(run[0])).join(''), timeSkeleton = runs(skeleton).filter((run) => isTime(run[0])).join('');
    const date = normalDate(dateSkeleton), time = normalTime(timeSkeleton);
    const withYear = (fields) => { for (const level of ['d', 'M', 'y', 'G']) result[level] ??= { full: generator.pattern(`yMd${fields}`) }; };
    const { best, difference } = closest(intervals, time === '' ? date : time);
    if (best === undefined || difference === -1) {
      if (time !== '' && date === '') withYear(timeSkeleton);
      return result;
    }
    const put = (level, wanted, chosen, kind, canExtend) => {
      let pattern = intervals[chosen]?.[level === 'h' && !(level in (intervals[chosen] ?? {})) ? 'H' : level], extended;
      if (pattern === undefined) {
        if (isIgnored(chosen, level)) return undefined;
        if (level === 'a') { const same = intervals[chosen]?.h ?? intervals[chosen]?.H; if (same !== undefined) result.a = { both: kind === 0 ? same : widen(same, wanted, chosen) }; return undefined; }
        if (!canExtend) return undefined;
        extended = { wanted: level + wanted, chosen: level + chosen };
        pattern = intervals[extended.chosen]?.[level];
        if (pattern === undefined && kind === 0) {
          const next = closest(intervals, extended.chosen);
          if (next.best !== undefined && next.difference !== -1) { pattern = intervals[next.best]?.[level]; extended.chosen = next.best; kind = next.difference; }
        }
        if (pattern === undefined) return undefined;
        result[level] = { both: kind === 0 ? pattern : widen(pattern, extended.wanted, extended.chosen) };
        return extended;
      }
      result[level] = { both: kind === 0 ? pattern : widen(pattern, wanted, chosen) };
      return undefined;
    };
    if (time === '') {
      put('d', dateSkeleton, best, difference, true);
      const extended = put('M', dateSkeleton, best, difference, true) ?? { wanted: dateSkeleton, chosen: best };
      put('y', extended.wanted, extended.chosen, difference, true);
      put('G', extended.wanted, extended.chosen, difference, true);
      return result;
    }
    for (const level of ['m', 'h', 'a']) put(level, timeSkeleton, best, difference, false);
    if (date === '') { withYear(timeSkeleton); return result; }
    let whole = skeleton;
    for (const level of ['d', 'M', 'y', 'G']) {
      if (hasField(dateSkeleton, level)) continue;
      whole = level + whole;
      result[level] = { full: generator.pattern(whole) };
    }
    const day = generator.pattern(dateSkeleton);
    for (const level of ['a', 'h', 'm']) if (result[level]?.both !== undefined) result[level] = { both: generator.substitute(data.joint.medium, [result[level].both, day]) };
    return result;
  };
  const levelOf = (a, b) => {
    if ((a.year > 0) !== (b.year > 0)) return 'G';
    for (const [level, field] of [['y', 'year'], ['M', 'month'], ['d', 'day']]) if (a[field] !== b[field]) return level;
    if ((a.hour < 12) !== (b.hour < 12)) return 'a';
    for (const [level, field] of [['h', 'hour'], ['m', 'minute'], ['s', 'second'], ['S', 'millisecond']]) if (a[field] !== b[field]) return level;
    return undefined;
  };
  const cache = new WeakMap();
  const parts = (own, first, second, { writeParts }) => {
    const sourced = (list, source) => list.map((part) => ({ ...part, source }));
    const shared = () => sourced(writeParts(own.parsed, first, own), 'shared');
    const level = levelOf(first, second);
    if (level === undefined) return shared();
    if (!cache.has(own)) cache.set(own, patternsOf(own));
    const found = cache.get(own)[level];
    if (found === undefined && isIgnored(skeletonOf(own.pattern), level)) return shared();
    if (found?.both !== undefined) {
      const [one, two] = split(found.both);
      const seen = new Set(two.filter((part) => typeof part !== 'string').map(({ letter }) => letter)), mine = one.filter((part) => typeof part !== 'string').map(({ letter }) => letter);
      const source = (letter, isSecond) => ((isSecond ? mine.includes(letter) : seen.has(letter)) ? (isSecond ? 'endRange' : 'startRange') : 'shared');
      return spread(one, two, source, (list, fields) => writeParts(list, fields, own), first, second);
    }
    const parsed = found?.full === undefined ? own.parsed : parse(found.full);
    const [before, between, after] = own.data.between.split(/\{[01]\}/);
    const list = [...sourced(writeParts(parsed, first, own), 'startRange'), { type: 'literal', value: between, source: 'shared' }, ...sourced(writeParts(parsed, second, own), 'endRange')];
    return before || after ? [{ type: 'literal', value: before, source: 'shared' }, ...list, { type: 'literal', value: after, source: 'shared' }].filter(({ value }) => value !== '') : list;
  };
  // The parts of an interval pattern. A text between two fields of one side belongs to that side.
  const spread = (one, two, source, write, first, second) => {
    const list = [];
    for (const [side, fields, isSecond] of [[one, first, false], [two, second, true]]) {
      const sources = side.map((part) => (typeof part === 'string' ? undefined : source(part.letter, isSecond)));
      const own = isSecond ? 'endRange' : 'startRange', begin = sources.indexOf(own), end = sources.lastIndexOf(own);
      for (const [i, part] of side.entries()) {
        const from = begin >= 0 && i >= begin && i <= end ? own : 'shared';
        for (const written of write([part], fields)) {
          const last = list.at(-1);
          if (written.type === 'literal' && last?.type === 'literal' && last.source === from) last.value += written.value;
          else list.push({ ...written, source: from });
        }
      }
    }
    return list;
  };
  return { parts };
}
