# Stochastic gradient descent on 1/2 * sum of c * (x - noise)^2, for a script that any POSIX awk can run:
#   awk -v lr=0.05 -v seed=0 -v steps=100 -f train.awk
# Stable below 2 / 20 = 0.1, the largest curvature being 20. With -v rates=FILE each step has its rate from a line of that file, and
# with -v probe=0,100 the loss without the noise is printed after so many steps.
function uniform() {            # Park and Miller's generator: awk's own differs from system to system
    state = (state * 16807) % 2147483647
    return state / 2147483647
}
function normal() { return sqrt(-2 * log(uniform())) * cos(6.283185307 * uniform()) }
function show(    i, loss) {
    for (i = 1; i <= n; i++) loss += curvature[i] * x[i] * x[i] / 2
    printf "probe: %.7g\n", loss
}
BEGIN {
    state = seed * 1009 + 12345
    for (i = 0; i < 10; i++) uniform()
    n = split("20 6 2 0.6 0.2", curvature)
    for (i = 1; i <= n; i++) x[i] = normal() + 2
    for (i = split(probe, at, ","); i > 0; i--) is_due[at[i]] = 1
    if (0 in is_due) show()
    for (step = 1; step <= steps; step++) {
        if (rates) getline lr < rates
        loss = 0
        for (i = 1; i <= n; i++) {
            distance = x[i] - 0.02 * normal()
            loss += curvature[i] * distance * distance / 2
            x[i] -= lr * curvature[i] * distance
        }
        printf "step %d loss: %.7g\n", step, loss
        if (step in is_due) show()
        fflush()
    }
}
