/* Only read: the model test has a gpu_raw that names it. */
extern "C" __global__ void run(void)
{
}
