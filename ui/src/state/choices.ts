// The choices of Explore, in the order of their keys.

export const vizzes = [
  { value: "stack", title: "Stack" },
  { value: "stack100", title: "100%" },
  { value: "line", title: "Line" },
  { value: "grid", title: "Grid" },
  { value: "bar", title: "Bars" },
  { value: "heat", title: "Heat" },
  { value: "sankey", title: "Sankey" },
  { value: "table", title: "Table" },
];

export const comparisons = [
  { value: "", title: "off" },
  { value: "prev", title: "previous period" },
  { value: "-1d", title: "previous day" },
  { value: "-7d", title: "previous week" },
  { value: "-28d", title: "4 weeks before" },
  { value: "band4w", title: "4-week range" },
];

export const dirs = [
  { value: "both", title: "Both" },
  { value: "in", title: "In" },
  { value: "out", title: "Out" },
  { value: "internal", title: "Internal" },
  { value: "sum", title: "Sum" },
];
