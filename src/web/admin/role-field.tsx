import { NativeSelect } from "@mantine/core";

import type { Role } from "../api-types.js";
import { rolesUpTo, useMe } from "../me.js";
import { texts } from "./strings.js";

interface RoleFieldProps {
  readonly value: Role;
  readonly onChange: (role: Role) => void;
  readonly error: string | undefined;
}

/** Of the roles that whoever looks may give. */
export function RoleField({ value, onChange, error }: RoleFieldProps) {
  const roles = rolesUpTo(useMe().role);
  return (
    <NativeSelect
      label={texts.users.role}
      description={texts.aboutRoles[value]}
      value={value}
      error={error}
      onChange={({ currentTarget }) => onChange(roles.find((role) => role === currentTarget.value) ?? value)}
      data={roles.map((role) => ({ value: role, label: texts.roles[role] }))}
      name="role"
    />
  );
}
