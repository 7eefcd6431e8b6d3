import { RateClass } from './generated/sotto/v1/options_pb.js';

/** `points` calls in `seconds`, per account and per address. Charged before anything is looked up. */
export interface Rate {
  perAccount: { points: number; seconds: number };
  perAddress: { points: number; seconds: number };
}

export const RATE_CLASSES: Readonly<Record<Exclude<RateClass, RateClass.UNSPECIFIED | RateClass.INTERNAL>, Rate>> = {
  [RateClass.READ]: { perAccount: { points: 600, seconds: 60 }, perAddress: { points: 6_000, seconds: 60 } },
  [RateClass.WRITE]: { perAccount: { points: 240, seconds: 60 }, perAddress: { points: 2_400, seconds: 60 } },
  [RateClass.REGISTER]: { perAccount: { points: 10, seconds: 3_600 }, perAddress: { points: 200, seconds: 3_600 } },
  [RateClass.PASSWORD]: { perAccount: { points: 20, seconds: 600 }, perAddress: { points: 300, seconds: 600 } },
  [RateClass.SESSION]: { perAccount: { points: 120, seconds: 60 }, perAddress: { points: 6_000, seconds: 60 } },
  [RateClass.REQUEST]: { perAccount: { points: 60, seconds: 3_600 }, perAddress: { points: 600, seconds: 3_600 } },
  [RateClass.CLAIM]: { perAccount: { points: 300, seconds: 3_600 }, perAddress: { points: 6_000, seconds: 3_600 } },
};
