/* Zipf by rejection-inversion (W. Hörmann and G. Derflinger, 1996): exact,
 * without a table, about one draw of the uniform generator for each rank.
 * H is the integral of x^-theta; a uniform point under H is inverted to a
 * candidate, which is accepted in nearly all cases. */
#include "zipf.h"

#include <math.h>

static double integral(const struct zipf *z, double x)
{
    return pow(x, 1 - z->theta) / (1 - z->theta);
}

static double inverse(const struct zipf *z, double y)
{
    return pow(y * (1 - z->theta), 1 / (1 - z->theta));
}

void zipf_init(struct zipf *z, uint64_t count, double theta)
{
    z->count = count;
    z->theta = theta;
    z->low = integral(z, 1.5) - 1;
    z->high = integral(z, (double)count + 0.5);
    z->shortcut = 2 - inverse(z, integral(z, 2.5) - pow(2, -theta));
}

uint64_t zipf_next(const struct zipf *z, struct random *r)
{
    for (;;) {
        double u = z->high + random_unit(r) * (z->low - z->high);
        double x = inverse(z, u);
        uint64_t k = x < 1.5 ? 1 : (uint64_t)(x + 0.5);
        if (k > z->count)
            k = z->count;
        if ((double)k - x <= z->shortcut ||
            u >= integral(z, (double)k + 0.5) - pow((double)k, -z->theta))
            return k - 1;
    }
}
