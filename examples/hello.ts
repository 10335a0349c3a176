// Shows that types are taken off before the program runs: `glovebox run examples/hello.ts`.

interface Greeting {
  readonly to: string;
}

const greet = ({ to }: Greeting): string => `Hello from ${to}, inside the glovebox!`;
console.log(greet({ to: "TypeScript" }));
