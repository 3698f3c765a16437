/** What differs of one path (or of the defaults, or of the server): each setting with its three values, to pick one of. */
import type { DriftItem } from "../../api-types.js";
import { configStrings } from "../config-strings.js";
import {
  choiceOf,
  type Choices,
  isHidden,
  keyOf,
  type Side,
  settingOf,
  SIDES,
  valueAt,
  whyOnlyTable,
} from "./drift-words.js";

const { drift: words } = configStrings;

interface DriftPlaceProps {
  readonly place: { readonly name: string; readonly items: readonly DriftItem[] };
  readonly choices: Choices;
  readonly canAsk: boolean;
  readonly onChoose: (item: DriftItem, side: Side) => void;
}

export function DriftPlace({ place: { name, items }, ...of }: DriftPlaceProps) {
  return (
    <section className="drift-place" data-place={name}>
      <h2>{name}</h2>
      <table role="table" className="drift-table" aria-label={name}>
        <thead role="rowgroup">
          <tr role="row">
            <th role="columnheader">{words.setting}</th>
            {SIDES.map((side) => (
              <th role="columnheader" key={side}>
                {words.sides[side]}
              </th>
            ))}
          </tr>
        </thead>
        <tbody role="rowgroup">
          {items.map((item) => (
            <Row key={keyOf(item)} {...{ item, ...of }} />
          ))}
        </tbody>
      </table>
    </section>
  );
}

interface RowProps extends Omit<DriftPlaceProps, "place"> {
  readonly item: DriftItem;
}

function Row({ item, choices, canAsk, onChoose }: RowProps) {
  const [chosen, why] = [choiceOf(item, choices), whyOnlyTable(item)];
  const setting = settingOf(item);
  return (
    <tr role="row" data-setting={item.setting}>
      <td role="cell" className="what">
        <span className="strong">{setting}</span>
        {why !== undefined && <span className="quiet">{why}</span>}
        {isHidden(item) && <span className="quiet">{words.hidden}</span>}
      </td>
      {SIDES.map((side) => (
        <Value
          key={side}
          {...{ side, setting }}
          name={keyOf(item)}
          value={valueAt(item, side, canAsk)}
          isChosen={chosen === side}
          onPick={canPick(item, side) ? () => onChoose(item, side) : undefined}
        />
      ))}
    </tr>
  );
}

function canPick({ canTakeOver }: DriftItem, side: Side): boolean {
  return canTakeOver.length > 0 && (side === "table" || canTakeOver.includes(side));
}

interface ValueProps {
  readonly side: Side;
  readonly setting: string;
  /** Of the group of buttons. */
  readonly name: string;
  readonly value: string;
  readonly isChosen: boolean;
  /** Undefined: it cannot count, or nothing else can. */
  readonly onPick: (() => void) | undefined;
}

function Value({ side, setting, name, value, isChosen, onPick }: ValueProps) {
  return (
    <td role="cell" data-side={side} data-name={words.sides[side]} data-counts={isChosen || undefined}>
      {onPick === undefined ? (
        <span className="value">{value}</span>
      ) : (
        <label className="value">
          <input
            type="radio"
            name={name}
            checked={isChosen}
            onChange={onPick}
            aria-label={words.pick(value, setting, words.sides[side])}
          />
          <span>{value}</span>
        </label>
      )}
    </td>
  );
}
