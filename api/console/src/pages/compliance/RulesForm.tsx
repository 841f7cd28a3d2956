import type { Schemas } from '../../api/client';
import { CheckField, TextField } from '../../ui/Field';
import { leafOf, rulesOf, withRule, type Rule } from './rules';

type Props = { policy: Schemas['Policy']; readOnly: boolean; onChange: (policy: Schemas['Policy']) => void };

/** The rules of a policy as fields, each by the name that the API has for it. */
export function RulesForm({ policy, readOnly, onChange }: Props) {
  return (
    <div className="grid gap-3 sm:grid-cols-2">
      {rulesOf(policy).map((rule) => (
        <Field
          key={rule.name}
          rule={rule}
          readOnly={readOnly}
          onSay={(says) => onChange(withRule(policy, rule.name, says))}
        />
      ))}
    </div>
  );
}

type FieldProps = { rule: Rule; readOnly: boolean; onSay: (says: Rule['says']) => void };

function Field({ rule, readOnly, onSay }: FieldProps) {
  const { name, says } = rule;
  if (typeof says === 'boolean') {
    return (
      <CheckField
        label={name}
        checked={says}
        disabled={readOnly}
        onChange={(event) => onSay(event.target.checked)}
      />
    );
  }
  const text = Array.isArray(says) ? says.join(', ') : String(says ?? '');
  return (
    <TextField
      key={text}
      label={name}
      type={typeof says === 'number' ? 'number' : 'text'}
      readOnly={readOnly}
      defaultValue={text}
      onBlur={(event) => event.target.value !== text && onSay(leafOf(event.target.value, says))}
    />
  );
}
