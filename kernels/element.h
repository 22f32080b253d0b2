/* element.h: the physics of one element, once, for C, OpenCL C and CUDA.
 *
 * Whoever includes it has defined REAL (float, or double for the reference),
 * ELEMENT(name), ELEMENT_FN (how a function is declared) and the functions
 * REAL_RSQRT, REAL_LOG2, REAL_EXP of one REAL. No pointers, no addresses, no
 * libc, no other include; it may be included once for each REAL.
 * Code units: G = hbar = k_B = 1. */

/* Plummer potential of a pair: m M / sqrt(r^2 + eps^2). */
ELEMENT_FN REAL ELEMENT(gravity_potential)(REAL dx, REAL dy, REAL mass,
                                           REAL other, REAL eps)
{
    return mass * REAL_RSQRT(dx * dx + dy * dy + eps * eps) * other;
}

/* Strength of its force: m M r / (r^2 + eps^2)^(3/2). Of the field at m's
 * place: the same with m = 1. Both masses are taken by s first: a product that
 * is still beyond what REAL holds is so in the result. */
ELEMENT_FN REAL ELEMENT(gravity_force)(REAL dx, REAL dy, REAL mass, REAL other,
                                       REAL eps)
{
    REAL square = dx * dx + dy * dy;
    REAL s = REAL_RSQRT(square + eps * eps);
    REAL r = square > 0 ? square * REAL_RSQRT(square > 0 ? square : 1) : 0;
    return mass * s * (other * s) * (r * s);
}

/* A bucket's part of the entropy in bits, p its share of the whole. The sum
 * over -p log2 p equals log2 T - (1/T) sum c log2 c; its terms are never
 * negative, so float32 loses nothing to cancellation. */
ELEMENT_FN REAL ELEMENT(entropy_term)(REAL p)
{
    return p > 0 ? -p * REAL_LOG2(p > 0 ? p : 1) : 0;
}

/* A chunk's part of the entropy of the whole, w its share of the counts and h
 * its own entropy. It is exact however a state is cut (the grouping property),
 * and again no term is negative. */
ELEMENT_FN REAL ELEMENT(entropy_part)(REAL w, REAL h)
{
    return w * h + ELEMENT(entropy_term)(w);
}

/* A level's distance from the lowest in units of the temperature, cut where
 * its weight is nothing in float32: infinities would make 0 * inf. */
ELEMENT_FN REAL ELEMENT(thermo_gap)(REAL energy, REAL lowest, REAL temperature)
{
    REAL gap = (energy - lowest) / temperature;
    return gap < 80 ? gap : 80;
}

/* Boltzmann weight; a level at the cut has none. */
ELEMENT_FN REAL ELEMENT(thermo_weight)(REAL gap)
{
    REAL weight = REAL_EXP(-gap);
    return gap < 80 ? weight : 0;
}

/* Heat of a record that had `heat` a time ago: halved each `half_life`, and
 * each access since adds one. */
ELEMENT_FN REAL ELEMENT(record_heat)(REAL heat, REAL age, REAL half_life,
                                     REAL hits)
{
    REAL x = age / half_life * (REAL)0.69314718055994530942;
    return heat * (x < 80 ? REAL_EXP(-(x < 80 ? x : 80)) : 0) + hits;
}
