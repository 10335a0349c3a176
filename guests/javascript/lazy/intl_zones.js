//! Time zones for `Intl`: which zone does a name mean, and what is it called in a locale?
(native, internal) => {
  // Of each zone the name that CLDR has for it, and the number of its data.
  let zoneNames, tables;
  const namesOfZones = () => (zoneNames ??= native.localeData('zones'));
  const properName = (name) => {
    const names = namesOfZones();
    if (Object.hasOwn(names, name)) return name;
    const lower = name.toLowerCase();
    return Object.keys(names).find((one) => one.toLowerCase() === lower);
  };
  const tablesOf = () => (tables ??= native.localeData('metazones'));
  // Names that CLDR gives to UTC, which V8 shows as `UTC`.
  const UTC = ['Etc/UTC', 'Etc/GMT', 'UTC', 'GMT'];
  const utc = { shown: 'UTC', id: 'Etc/UTC', number: undefined, offset: 0 };
  const found = new Map();
  const named = (name) => {
    if (name === 'UTC') return utc;
    if (found.has(name)) return found.get(name);
    let zone;
    const offset = /^([+-])([01]\d|2[0-3])(?::?([0-5]\d))?$/.exec(name);
    if (offset !== null) {
      const [, sign, hours, minutes = '00'] = offset, seconds = (Number(hours) * 60 + Number(minutes)) * 60;
      zone = { shown: `${seconds === 0 ? '+' : sign}${hours}:${minutes}`, id: undefined, number: undefined, offset: sign === '-' ? -seconds : seconds };
    } else {
      const proper = properName(name);
      if (proper === undefined) throw new RangeError(`Invalid time zone specified: ${name}`);
      const [canonical, number] = namesOfZones()[proper];
      zone = UTC.includes(canonical) ? { ...utc, id: canonical } : { shown: canonical, id: canonical, number };
      if (zone.shown === 'UTC') zone.id = 'Etc/UTC';
    }
    found.set(name, zone);
    return zone;
  };
  const local = () => { const name = native.zoneName(); return name === undefined ? utc : named(name); };
  const offsetAt = (zone, time) => {
    if (zone.number === undefined) return { offset: zone.offset, isDst: false };
    const both = native.zoneAt(zone.number, Math.floor(time / 1000));
    return { offset: both >> 1, isDst: (both & 1) === 1 };
  };

  const locales = new Map();
  const namesOf = (locale) => {
    if (!locales.has(locale)) locales.set(locale, native.localeData(`zones/${locale}`));
    return locales.get(locale);
  };
  const pad = (number) => `${number}`.padStart(2, '0');
  const gmt = (names, offset, isLong) => {
    const minutes = Math.floor(Math.abs(offset) / 60), seconds = Math.abs(offset) % 60;
    const [positive, negative] = names.hour.split(';');
    let text = offset < 0 ? negative : positive;
    if (isLong) text = text.replace(/H+/, pad(Math.floor(minutes / 60))).replace('mm', pad(minutes % 60));
    else text = (minutes % 60 === 0 && seconds === 0 ? text.replace(/.?mm/, '') : text.replace('mm', pad(minutes % 60))).replace(/H+/, `${Math.floor(minutes / 60)}`);
    if (seconds !== 0) text += `:${pad(seconds)}`;
    return names.gmt.replace('{0}', text);
  };
  const metazone = (zone, time) => {
    let name;
    for (const [use, from] of tablesOf().uses[zone.id] ?? []) if (from === null || from <= time) name = use;
    return name;
  };
  const specific = (locale, zone, fields, isLong) => {
    const names = namesOf(locale), width = isLong ? 'long' : 'short', kind = fields.isDst ? 'daylight' : 'standard';
    return names.zone[zone.id]?.[width]?.[kind] ?? names.metazone?.[metazone(zone, fields.time)]?.[width]?.[kind] ?? gmt(names, fields.offset, isLong);
  };
  const cityOf = (names, id) => names.zone[id]?.exemplarCity ?? id.split('/').at(-1).replaceAll('_', ' ');
  const territoryOf = (locale, code) => new (internal.lazy('intl').Intl.DisplayNames)(locale, { type: 'region' }).of(code);
  // Where a zone is: its country, if that has no other zone or this is the first of them, otherwise its city.
  const placeOf = (locale, names, id) => {
    const { territories, primary } = tablesOf(), code = territories[id];
    if (code === undefined) return cityOf(names, id);
    const isOnly = primary[code] === id || !Object.keys(territories).some((other) => other !== id && territories[other] === code);
    return isOnly ? territoryOf(locale, code) : cityOf(names, id);
  };
  const HALF_YEAR = 184 * 86400000;
  const generic = (locale, zone, fields, isLong) => {
    const names = namesOf(locale), width = isLong ? 'long' : 'short', meta = metazone(zone, fields.time);
    const group = names.metazone?.[meta]?.[width], own = names.zone[zone.id]?.[width];
    if (own?.generic) return own.generic;
    if (meta !== undefined && group !== undefined) {
      // Without summer time near, the name of standard time says it as well.
      const isSteady = !fields.isDst && [-1, 1].every((sign) => !offsetAt(zone, fields.time + sign * HALF_YEAR).isDst);
      const name = isSteady && group.standard && group.standard !== group.generic ? group.standard : group.generic;
      if (name !== undefined) {
        const golden = tablesOf().golden[meta], id = golden?.[tablesOf().territories[zone.id]] ?? golden?.['001'];
        if (id === undefined || id === zone.id || offsetAt(named(id), fields.time).offset === fields.offset) return name;
        return names.fallback.replace('{0}', placeOf(locale, names, zone.id)).replace('{1}', name);
      }
    }
    if (zone.id === undefined || zone.id.startsWith('Etc/')) return own?.standard ?? gmt(names, fields.offset, isLong);
    return names.region.replace('{0}', placeOf(locale, names, zone.id));
  };
  const name = (locale, zone, fields, letter, length) => {
    const isLong = length >= 4;
    if (letter === 'O') return gmt(namesOf(locale), fields.offset, isLong);
    if (zone.id === undefined) return gmt(namesOf(locale), fields.offset, isLong);
    return letter === 'v' ? generic(locale, zone, fields, isLong) : specific(locale, zone, fields, isLong);
  };
  const all = () => [...new Set(Object.values(namesOfZones()).map(([canonical]) => canonical))].filter((id) => id.includes('/') && !id.startsWith('Etc/')).concat('UTC').sort();
  // The name of the local zone in English, for the text of a date.
  const longName = (time) => { const zone = local(); return zone === utc ? 'Coordinated Universal Time' : specific('en', zone, { time, ...offsetAt(zone, time) }, true); };
  return { named, local, offsetAt, name, longName, all };
}
