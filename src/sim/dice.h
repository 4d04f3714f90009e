/*
 * dice.h
 *	  Repeatable randomness: the same seed gives the same throws on every machine.
 *
 * A splitmix64 sequence.  Coin number n is made from dice_for(seed, n), so that it is the same coin
 * however many others there are.
 */
#ifndef COINLORE_SIM_DICE_H
#define COINLORE_SIM_DICE_H

#include <math.h>
#include <stdbool.h>
#include <stdint.h>

typedef struct Dice
{
	uint64_t state;
} Dice;

static inline uint64_t
dice_roll(Dice *dice)
{
	uint64_t z = dice->state += UINT64_C(0x9e3779b97f4a7c15);

	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static inline Dice
dice_for(uint64_t seed, uint64_t what)
{
	Dice dice = {seed * UINT64_C(0xd1342543de82ef95) + what};

	dice.state = dice_roll(&dice);
	return dice;
}

/* In [0, 1). */
static inline double
dice_unit(Dice *dice)
{
	return (double) (dice_roll(dice) >> 11) * 0x1.0p-53;
}

static inline double
dice_between(Dice *dice, double from, double to)
{
	return from + (to - from) * dice_unit(dice);
}

/* In 0 .. n-1, n > 0. */
static inline int
dice_below(Dice *dice, int n)
{
	return (int) (dice_roll(dice) % (uint64_t) n);
}

static inline bool
dice_chance(Dice *dice, double share)
{
	return dice_unit(dice) < share;
}

/* From the standard normal distribution. */
static inline double
dice_normal(Dice *dice)
{
	double u = 1.0 - dice_unit(dice);
	double v = dice_unit(dice);

	return sqrt(-2.0 * log(u)) * cos(2.0 * 3.14159265358979323846 * v);
}

#endif /* COINLORE_SIM_DICE_H */
