// JSX: elements, attributes, fragments, components and types
// name = "main.tsx"
type Props = { name: string; children?: unknown };
const h = (tag: any, props: Record<string, unknown> | null, ...inner: unknown[]): string => {
  const all = Object.entries(props ?? {}).map(([key, value]) => ` ${key}="${value}"`).join('');
  return typeof tag === 'function' ? tag({ ...props, children: inner }) : `<${tag}${all}>${inner.flat().join('')}</${tag}>`;
};
const React = { createElement: h, Fragment: (props: Props) => (props.children as unknown[]).join('') };
const Hello = ({ name, children }: Props) => <p title={name}>Hello {name}{children}</p>;
const list: number[] = [1, 2];
const id = <T,>(value: T): T => value;
console.log(<b>hi</b>);
console.log(<Hello name="Ada"><i class="x" {...{ id: 5 }}>!</i></Hello>);
console.log(<ul>{list.map((n) => <li key={n}>{id<number>(n) > 1 ? 'many' : 'one'}</li>)}</ul>);
console.log(<><span/> text &amp; more</>);
