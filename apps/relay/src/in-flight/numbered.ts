const LEAST_PLACES = 1_024;

/**
 * Things by the number that each gets when it is added; a number comes again after 2^32 - 1 others. An array whose places are used again, where a Map would
 * do: V8 gives a Map in which things come and go a new table every few changes, and once one such table has grown old, everything that the later
 * ones held stays in memory until the next full collection.
 */
export class Numbered<Thing extends { number: number }> {
  private places: (Thing | undefined)[];
  private count = 0;

  /** @param last the number before the first; for tests. */
  constructor(private last = 0) {
    this.places = empty(LEAST_PLACES);
  }

  get size(): number {
    return this.count;
  }

  /** Sets the thing's number. */
  add(thing: Thing): void {
    if (2 * ++this.count > this.places.length) this.grow();
    do this.last = this.last === 0xffffffff ? 1 : this.last + 1;
    while (this.places[this.placeOf(this.last)] !== undefined);
    thing.number = this.last;
    this.places[this.placeOf(this.last)] = thing;
  }

  get(number: number): Thing | undefined {
    const thing = this.places[this.placeOf(number)];
    return thing?.number === number ? thing : undefined;
  }

  delete({ number }: Thing): void {
    if (this.get(number) === undefined) return;
    this.places[this.placeOf(number)] = undefined;
    this.count--;
  }

  /** In no order. Things may be deleted meanwhile; what is added may be left out. */
  forEach(visit: (thing: Thing) => void): void {
    for (const thing of this.places) if (thing !== undefined) visit(thing);
  }

  /** Two numbers with places of their own have them among twice as many, too. */
  private grow(): void {
    const things = this.places;
    this.places = empty(2 * things.length);
    for (const thing of things) if (thing !== undefined) this.places[this.placeOf(thing.number)] = thing;
  }

  private placeOf(number: number): number {
    return number & (this.places.length - 1);
  }
}

function empty<Thing>(places: number): (Thing | undefined)[] {
  return Array.from({ length: places }, () => undefined);
}
