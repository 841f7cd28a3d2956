import { useEffect, useRef, useState } from 'react';
import type uPlot from 'uplot';
import { useT } from '../i18n';
import { useFormat } from '../i18n/format';
import { Button } from './Button';

type Props = { label: string; times: string[]; series: Series[]; span?: [from: string, to: string] };

export type Series = { label: string; colour: string; values: (number | null)[] };

/** Lines over time; the same figures as a table one key away. */
export function Chart({ label, times, series, span }: Props) {
  const t = useT();
  const [asTable, setAsTable] = useState(false);
  return (
    <div className="flex flex-col gap-2">
      <div className="flex flex-wrap items-center gap-4 text-xs">
        {series.map((one) => (
          <span key={one.label} className="inline-flex items-center gap-1.5">
            <svg aria-hidden="true" width="12" height="3">
              <rect width="12" height="3" fill={`var(${one.colour})`} />
            </svg>
            {one.label}
          </span>
        ))}
        <Button kind="quiet" aria-pressed={asTable} onClick={() => setAsTable(!asTable)}>
          {t('chart.table')}
        </Button>
      </div>
      {asTable ? (
        <Figures label={label} times={times} series={series} />
      ) : (
        <Lines label={label} times={times} series={series} {...(span ? { span } : {})} />
      )}
    </div>
  );
}

function Lines({ label, times, series, span }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const [from, to] = span ?? [];
  useEffect(() => {
    let plot: uPlot | undefined;
    let gone = false;
    const element = place.current;
    if (!element) return;
    void Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]).then(([{ default: Plot }]) => {
      if (gone) return;
      const style = getComputedStyle(document.documentElement);
      const ink = style.getPropertyValue('--ink-soft');
      const axis = {
        stroke: ink,
        grid: { stroke: style.getPropertyValue('--line'), width: 1 },
        ticks: { show: false },
      };
      const options: uPlot.Options = {
        width: element.clientWidth,
        height: 180,
        legend: { show: false },
        scales: from && to ? { x: { range: [Date.parse(from) / 1000, Date.parse(to) / 1000] } } : {},
        cursor: { show: false },
        axes: [axis, { ...axis, size: 48 }],
        series: [
          {},
          ...series.map((one) => ({
            stroke: style.getPropertyValue(one.colour),
            width: 2,
            points: { size: 5 },
          })),
        ],
      };
      const x = times.map((time) => Date.parse(time) / 1000);
      plot = new Plot(options, [x, ...series.map((one) => one.values)], element);
    });
    return () => {
      gone = true;
      plot?.destroy();
    };
  }, [times, series, from, to]);
  return <div ref={place} role="img" aria-label={label} className="h-45 overflow-hidden" />;
}

function Figures({ label, times, series }: Props) {
  const format = useFormat();
  const t = useT();
  return (
    <div role="region" aria-label={label} tabIndex={0} className="max-h-45 overflow-auto">
      <table className="w-full text-xs">
        <thead>
          <tr>
            <th scope="col" className="text-left font-medium">
              {t('chart.time')}
            </th>
            {series.map((one) => (
              <th key={one.label} scope="col" className="text-right font-medium">
                {one.label}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {times.map((time, index) => (
            <tr key={time}>
              <td>{format.time(time)}</td>
              {series.map((one) => (
                <td key={one.label} className="text-right">
                  {format.number(one.values[index])}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
