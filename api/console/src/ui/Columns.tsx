import { DropdownMenu } from 'radix-ui';
import { useT } from '../i18n';
import { pressed } from './Button';

type Props = { names: string[]; hidden: string[]; onToggle: (name: string) => void };

/** Which columns a table shows. */
export function Columns({ names, hidden, onToggle }: Props) {
  const t = useT();
  return (
    <DropdownMenu.Root modal={false}>
      <DropdownMenu.Trigger className={`${pressed('quiet')} hidden h-7 text-xs text-soft md:inline-flex`}>
        {t('columns.choose')}
      </DropdownMenu.Trigger>
      <DropdownMenu.Content
        align="end"
        className="z-50 min-w-44 rounded-md border border-line bg-sheet p-1 shadow-xl"
      >
        {names.map((name) => (
          <DropdownMenu.CheckboxItem
            key={name}
            checked={!hidden.includes(name)}
            onSelect={(event) => event.preventDefault()}
            onCheckedChange={() => onToggle(name)}
            className="flex gap-2 rounded-md px-2 py-1.5 outline-none data-[highlighted]:bg-hover"
          >
            <span className="w-3" aria-hidden="true">
              <DropdownMenu.ItemIndicator>{'✓'}</DropdownMenu.ItemIndicator>
            </span>
            {name}
          </DropdownMenu.CheckboxItem>
        ))}
      </DropdownMenu.Content>
    </DropdownMenu.Root>
  );
}
