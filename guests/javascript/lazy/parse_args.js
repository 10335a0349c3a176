//! `util.parseArgs`: which options and which other arguments does a command line have?
(native, internal) => {
  const { codedError } = internal;
  const wrongType = (name, type, value) => codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${name}" property must be of type ${type}. Received ${internal.received(value)}`);
  const needBoolean = (value, name) => { if (typeof value !== 'boolean') throw wrongType(name, 'boolean', value); };

  const checkOptions = (options) => {
    if (typeof options !== 'object' || options === null) throw wrongType('options', 'object', options);
    for (const [name, option] of Object.entries(options)) {
      const place = `options.${name}`;
      if (typeof option !== 'object' || option === null) throw wrongType(place, 'object', option);
      if (option.type !== 'string' && option.type !== 'boolean') throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "${place}.type" property must be ('string|boolean'). Received ${internal.received(option.type)}`);
      if (Object.hasOwn(option, 'short')) {
        if (typeof option.short !== 'string') throw wrongType(`${place}.short`, 'string', option.short);
        if (option.short.length !== 1) throw codedError(TypeError, 'ERR_INVALID_ARG_VALUE', `The property '${place}.short' must be a single character. Received ${internal.inspect(option.short)}`);
      }
      const multiple = option.multiple ?? false;
      needBoolean(multiple, `${place}.multiple`);
      if (option.default === undefined) continue;
      const all = multiple ? option.default : [option.default];
      if (!Array.isArray(all)) throw wrongType(`${place}.default`, 'Array', all);
      for (const value of all) if (typeof value !== option.type) throw wrongType(`${place}.default`, option.type, value);
    }
  };

  const tokensOf = (args, options) => {
    const tokens = [], rest = [...args];
    const byShort = (short) => Object.keys(options).find((name) => options[name].short === short) ?? short;
    const isString = (name) => Object.hasOwn(options, name) && options[name].type === 'string';
    let index = -1, groups = 0;
    while (rest.length > 0) {
      const arg = rest.shift(), next = rest[0];
      if (groups > 0) groups--;
      else index++;
      const option = (rawName, name, value, inlineValue) => tokens.push({ kind: 'option', name, rawName, index, value, inlineValue });
      const takeNext = (rawName, name) => {
        // A value that looks like an option is taken as well; `parseArgs` says so where it is strict.
        if (isString(name) && next !== undefined) { option(rawName, name, rest.shift(), false); index++; } else option(rawName, name, undefined, undefined);
      };
      if (arg === '--') {
        tokens.push({ kind: 'option-terminator', index });
        for (const value of rest) tokens.push({ kind: 'positional', index: ++index, value });
        break;
      }
      if (/^-[^-]$/su.test(arg)) takeNext(arg, byShort(arg[1]));
      else if (/^-[^-]/s.test(arg)) {
        const first = byShort(arg[1]);
        if (isString(first)) option(`-${arg[1]}`, first, arg.slice(2), true);
        else {
          // `-abc` is `-a -b -c`, and what follows an option with a value is that value.
          const expanded = [];
          for (let i = 1; i < arg.length; i++) {
            if (i > 1 && i < arg.length - 1 && isString(byShort(arg[i]))) { expanded.push(`-${arg.slice(i)}`); break; }
            expanded.push(`-${arg[i]}`);
          }
          rest.unshift(...expanded);
          groups = expanded.length;
          // They are all at the place of the group.
          if (groups > 0) continue;
        }
      } else if (arg.startsWith('--') && arg.indexOf('=', 3) > 2) {
        const at = arg.indexOf('=', 3);
        option(arg.slice(0, at), arg.slice(2, at), arg.slice(at + 1), true);
      } else if (/^--./s.test(arg)) takeNext(arg, arg.slice(2));
      else tokens.push({ kind: 'positional', index, value: arg });
    }
    return tokens;
  };

  const shownOption = (options, token) => {
    const { short, type } = options[token.name];
    return `${short ? `-${short}, ` : ''}--${token.name}${type === 'string' ? ' <value>' : ''}`;
  };
  const checkStrictly = (options, token, allowPositionals, allowNegative) => {
    if (token.kind !== 'option') return;
    if (!Object.hasOwn(options, token.name) && !(allowNegative && token.name.startsWith('no-') && options[token.name.slice(3)]?.type === 'boolean')) {
      const advice = allowPositionals ? `. To specify a positional argument starting with a '-', place it at the end of the command after '--', as in '-- ${JSON.stringify(token.rawName)}` : '';
      throw codedError(TypeError, 'ERR_PARSE_ARGS_UNKNOWN_OPTION', `Unknown option '${token.rawName}'${advice}`);
    }
    if (!Object.hasOwn(options, token.name)) return;
    const { type } = options[token.name], shown = shownOption(options, token);
    if (type === 'string' && typeof token.value !== 'string') throw codedError(TypeError, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE', `Option '${shown}' argument missing`);
    if (type === 'boolean' && token.value !== undefined) throw codedError(TypeError, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE', `Option '${shown}' does not take an argument`);
    if (token.inlineValue === false && token.value.length > 1 && token.value.startsWith('-')) {
      const example = token.rawName.startsWith('--') ? `'${token.rawName}=-XYZ'` : `'--${token.name}=-XYZ' or '${token.rawName}-XYZ'`;
      throw codedError(TypeError, 'ERR_PARSE_ARGS_INVALID_OPTION_VALUE', `Option '${token.rawName}' argument is ambiguous.\nDid you forget to specify the option argument for '${token.rawName}'?\nTo specify an option argument starting with a dash use ${example}.`);
    }
  };
  const store = (values, options, token, allowNegative) => {
    let { name, value } = token;
    if (name === '__proto__') return;
    const isNegative = allowNegative && value === undefined && name.startsWith('no-') && !Object.hasOwn(options, name);
    if (isNegative) name = name.slice(3);
    value = value === undefined ? !isNegative : value;
    if (Object.hasOwn(options, name) && options[name].multiple) (values[name] ??= []).push(value);
    else values[name] = value;
  };

  return (config = {}) => {
    const args = config.args ?? process.argv.slice(2);
    const { strict = true, options = {}, tokens: wantsTokens = false, allowNegative = false } = config;
    const allowPositionals = config.allowPositionals ?? !strict;
    if (!Array.isArray(args)) throw codedError(TypeError, 'ERR_INVALID_ARG_TYPE', `The "args" argument must be an instance of Array. Received ${internal.received(args)}`);
    needBoolean(strict, 'strict');
    needBoolean(allowPositionals, 'allowPositionals');
    needBoolean(wantsTokens, 'tokens');
    checkOptions(options);
    const tokens = tokensOf(args.map((arg) => `${arg}`), options), values = Object.create(null), positionals = [];
    for (const token of tokens) {
      if (strict) checkStrictly(options, token, allowPositionals, allowNegative);
      if (token.kind === 'option') store(values, options, token, allowNegative);
      else if (token.kind === 'positional') {
        if (!allowPositionals) throw codedError(TypeError, 'ERR_PARSE_ARGS_UNEXPECTED_POSITIONAL', `Unexpected argument '${token.value}'. This command does not take positional arguments`);
        positionals.push(token.value);
      }
    }
    for (const [name, option] of Object.entries(options)) if (option.default !== undefined && values[name] === undefined) values[name] = option.default;
    return wantsTokens ? { values, positionals, tokens } : { values, positionals };
  };
}
