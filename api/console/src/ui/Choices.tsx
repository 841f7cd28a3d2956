import { DropdownMenu } from 'radix-ui';
import { pressed } from './Button';

type Props = { label: string; choices: [name: string, run: () => void][] };

/** A button that opens a menu of things to do. */
export function Choices({ label, choices }: Props) {
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className={pressed()}>{label}</DropdownMenu.Trigger>
      <DropdownMenu.Content
        align="end"
        className="z-50 max-h-80 min-w-44 overflow-y-auto rounded-md border border-line bg-sheet p-1 shadow-xl"
      >
        {choices.map(([name, run], index) => (
          <DropdownMenu.Item
            key={index}
            onSelect={run}
            className="rounded-md px-2 py-1.5 outline-none data-[highlighted]:bg-hover"
          >
            {name}
          </DropdownMenu.Item>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}
