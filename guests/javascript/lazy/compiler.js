//! The TypeScript compiler: what does it make of a text that the fast transform cannot do?
//!
//! Decorators, `accessor` and namespaces with code. Its result is laid out again, so that what the program wrote stays on its lines.
(native, internal) => {
  const ts = internal.library('typescript').typescript();
  const DIGITS = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

  // [place in the output, line of the source] of each segment of a source map.
  const segmentsOf = (mappings, starts) => {
    const found = [];
    let source = 0;
    mappings.split(';').forEach((line, at) => {
      let column = 0;
      for (const segment of line === '' ? [] : line.split(',')) {
        const numbers = [];
        let value = 0, shift = 0;
        for (const letter of segment) {
          const digit = DIGITS.indexOf(letter);
          value += (digit & 31) << shift;
          shift += 5;
          if (digit & 32) continue;
          numbers.push(value & 1 ? -(value >> 1) : value >> 1);
          value = shift = 0;
        }
        column += numbers[0];
        if (numbers.length < 4) continue;
        source += numbers[2];
        found.push([starts[at] + column, source]);
      }
    });
    return found;
  };
  // Some of what the compiler makes stands before or behind its place in the source. The most segments whose lines are in order keep their
  // lines, and the rest stays where it is.
  const inOrder = (segments) => {
    const ends = [], before = [];
    segments.forEach(([, line], at) => {
      let low = 0, high = ends.length;
      while (low < high) {
        const middle = (low + high) >> 1;
        if (segments[ends[middle]][1] <= line) low = middle + 1;
        else high = middle;
      }
      before[at] = ends[low - 1];
      ends[low] = at;
    });
    const kept = [];
    for (let at = ends.at(-1); at !== undefined; at = before[at]) kept.push(segments[at]);
    return kept.reverse();
  };
  // Where line ends belong to a text: template literals.
  const templatesOf = (output, file) => {
    const ranges = [];
    const visit = (node) => {
      if (ts.isNoSubstitutionTemplateLiteral(node) || ts.isTemplateHead(node) || ts.isTemplateMiddle(node) || ts.isTemplateTail(node)) ranges.push([node.getStart(), node.end]);
      ts.forEachChild(node, visit);
    };
    visit(ts.createSourceFile(file, output, ts.ScriptTarget.ESNext, true, ts.ScriptKind.JS));
    return ranges;
  };
  // No line may end after these words, or before these signs: it would end the statement.
  const holdsLine = (before, after) => /(?:^|[^\w$.])(?:return|throw|break|continue|yield|async|get|set|static|accessor)\s*$/.test(before) || /^\s*(?:\+\+|--|=>)/.test(after);
  const onItsLines = (output, mappings, file) => {
    const starts = [0];
    for (let at = output.indexOf('\n'); at >= 0; at = output.indexOf('\n', at + 1)) starts.push(at + 1);
    const segments = inOrder(segmentsOf(mappings, starts)), templates = templatesOf(output, file);
    let text = '', line = 0, next = 0;
    const put = (from, to) => {
      for (let at = from; at < to;) {
        while (next < templates.length && templates[next][1] <= at) next++;
        const [start, end] = templates[next] ?? [Infinity, Infinity];
        if (at >= start) {
          const part = output.slice(at, Math.min(end, to));
          line += part.split('\n').length - 1;
          text += part;
          at += part.length;
        } else {
          const stop = Math.min(start, to);
          text += output.slice(at, stop).replace(/\s*\n\s*/g, ' ');
          at = stop;
        }
      }
    };
    let at = 0;
    for (const [place, source] of segments) {
      if (place < at) continue;
      put(at, place);
      at = place;
      const isInText = templates.some(([start, end]) => start < place && place < end);
      if (source > line && !isInText && !holdsLine(text.slice(-12), output.slice(place, place + 4))) {
        text += '\n'.repeat(source - line);
        line = source;
      }
    }
    put(at, output.length);
    return text;
  };

  // What a `tsconfig.json` above the file says of decorators and fields.
  const settingsFor = (file) => {
    for (let folder = internal.path.dirname(internal.path.resolve(file)); ; folder = internal.path.dirname(folder)) {
      const bytes = native.readFile(`${folder}/tsconfig.json`);
      if (typeof bytes !== 'number') return ts.parseConfigFileTextToJson('tsconfig.json', native.decodeUtf8(bytes, false)).config?.compilerOptions ?? {};
      if (folder === '/') return {};
    }
  };
  // Parameters have decorators in the older form only, and the compiler says nothing of those that it leaves out.
  const decoratesParameters = (text, file) => {
    const visit = (node) => (ts.isParameter(node) && node.modifiers?.some(ts.isDecorator)) || ts.forEachChild(node, visit) === true;
    return visit(ts.createSourceFile(file, text, ts.ScriptTarget.ESNext)) === true;
  };
  return (text, file, jsx) => {
    const { experimentalDecorators, emitDecoratorMetadata, useDefineForClassFields } = settingsFor(file);
    const compile = (isLegacy) => ts.transpileModule(text, {
      fileName: file, reportDiagnostics: true,
      compilerOptions: {
        target: ts.ScriptTarget.ES2022, module: ts.ModuleKind.ESNext, sourceMap: true, removeComments: true, isolatedModules: true, experimentalDecorators: isLegacy,
        emitDecoratorMetadata: isLegacy && emitDecoratorMetadata === true, useDefineForClassFields: useDefineForClassFields ?? !isLegacy,
        jsx: jsx?.jsxRuntime === 'automatic' ? ts.JsxEmit.ReactJSX : ts.JsxEmit.React, jsxImportSource: jsx?.jsxImportSource, jsxFactory: jsx?.jsxPragma, jsxFragmentFactory: jsx?.jsxFragmentPragma,
      },
    });
    const result = compile(experimentalDecorators ?? decoratesParameters(text, file));
    const [problem] = result.diagnostics;
    if (problem) {
      const { line, character } = ts.getLineAndCharacterOfPosition(problem.file, problem.start ?? 0);
      throw internal.syntaxErrorAt(ts.flattenDiagnosticMessageText(problem.messageText, '\n'), file, line + 1, character + 1);
    }
    const output = result.outputText.replace(/\n\/\/# sourceMappingURL=.*\s*$/, '\n');
    return onItsLines(output, JSON.parse(result.sourceMapText).mappings, file);
  };
}
