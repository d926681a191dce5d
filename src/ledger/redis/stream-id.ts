/** The ids that a stream in Redis gives: a time in milliseconds and a number within it. */
export const timeOf = (id: string): number => Number(id.split("-")[0]);

export function isLater(id: string, than: string): boolean {
  const numberOf = (text: string): number => Number(text.split("-")[1]);
  return timeOf(id) > timeOf(than) || (timeOf(id) === timeOf(than) && numberOf(id) > numberOf(than));
}
