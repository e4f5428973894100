using System.Diagnostics;
using System.Text.RegularExpressions;

namespace ChatGenius.Tests.Support;

/// <summary>Opens a page of ours in a real browser, Chromium, and asks how it was laid out.</summary>
internal static partial class Browser
{
    /// <summary>The browser on PATH; null where there is none.</summary>
    public static string? Program { get; } = Needs.OnPath("chromium", "chromium-browser", "google-chrome", "google-chrome-stable");

    /// <summary>
    /// Fails where the page has to be pushed sideways, where a text stands out less from what is behind it than WCAG 2.2 asks for (1.4.3,
    /// 4.5 to 1), or where a link leads to nothing.
    /// </summary>
    public static async Task ShouldBeReadableAsync(string page, int width, bool dark)
    {
        const string Question =
            """
            (() => {
                const numbers = color => color.match(/[\d.]+/g).map(Number);
                const light = ([r, g, b]) => [r, g, b].map(c => c / 255).map(c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
                    .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i], 0);
                const behind = element => {
                    for (let e = element; e; e = e.parentElement) {
                        const color = numbers(getComputedStyle(e).backgroundColor);
                        if (color[3] !== 0) return light(color);
                    }
                    return 1;
                };
                const texts = [...document.body.querySelectorAll('*:not(script):not(svg *)')]
                    .filter(e => [...e.childNodes].some(n => n.nodeType === Node.TEXT_NODE && n.data.trim()) && e.getClientRects().length);
                const faint = texts.filter(e => {
                    const [a, b] = [light(numbers(getComputedStyle(e).color)), behind(e)].sort((x, y) => x - y);
                    return (b + 0.05) / (a + 0.05) < 4.5;
                });
                const dead = [...document.querySelectorAll('a[href^="#"]')].map(a => a.getAttribute('href'))
                    .filter(href => !document.getElementById(href.slice(1)));
                return {
                    texts: texts.length, width: innerWidth, sideways: document.documentElement.scrollWidth - innerWidth,
                    dark: light(numbers(getComputedStyle(document.body).backgroundColor)) < 0.2,
                    faint: faint.map(e => e.outerHTML.slice(0, 100)), dead,
                };
            })()
            """;
        var answer = await AskAsync(page, Question, width, dark);

        answer.GetProperty("texts").GetInt32().ShouldBePositive();
        answer.GetProperty("width").GetInt32().ShouldBe(width);
        answer.GetProperty("dark").GetBoolean().ShouldBe(dark);
        answer.GetProperty("sideways").GetInt32().ShouldBeLessThanOrEqualTo(0);
        answer.GetProperty("faint").EnumerateArray().Select(element => element.GetString()).ShouldBeEmpty();
        answer.GetProperty("dead").EnumerateArray().Select(link => link.GetString()).ShouldBeEmpty();
    }

    /// <summary>Evaluates an expression in a page, once it is there.</summary>
    /// <param name="page">The HTML. The question is put by a script at its end, for which the page's policy is taken out.</param>
    /// <param name="expression">JavaScript whose value can be written as JSON.</param>
    /// <param name="width">The window's width in CSS pixels; without a screen Chromium makes none narrower than 500.</param>
    /// <param name="dark">Whether the user prefers dark pages.</param>
    public static async Task<JsonElement> AskAsync(string page, string expression, int width, bool dark = false)
    {
        var document = await OpenAsync(
            Policy().Replace(page, "") + $"\n<script>document.documentElement.dataset.answer = JSON.stringify({expression})</script>\n",
            width, dark);
        var answer = Answer().Match(document);
        answer.Success.ShouldBeTrue($"The browser gave no answer here: {document[..Math.Min(document.Length, 500)]}");
        using var json = JsonDocument.Parse(System.Net.WebUtility.HtmlDecode(answer.Groups[1].Value));
        return json.RootElement.Clone();
    }

    /// <summary>Opens a page as it is, and returns what its scripts have made of it.</summary>
    public static async Task<string> OpenAsync(string page, int width, bool dark = false)
    {
        using var sandbox = new Sandbox();
        var file = sandbox.Write("page.html", page);
        var start = new ProcessStartInfo(Program!) { RedirectStandardOutput = true, RedirectStandardError = true };
        foreach (var argument in (string[])
            [
                "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
                    "--disable-component-update", "--disable-sync",
                "--disable-dev-shm-usage", $"--user-data-dir={Path.Combine(sandbox.Path, "browser")}",
                    string.Create(CultureInfo.InvariantCulture, $"--window-size={width},900"),
                $"--blink-settings=preferredColorScheme={(dark ? 0 : 1)}", "--dump-dom", new Uri(file).AbsoluteUri,
            ])
        {
            start.ArgumentList.Add(argument);
        }

        using var process = Process.Start(start)!;
        var errors = process.StandardError.ReadToEndAsync();
        var document = await process.StandardOutput.ReadToEndAsync();
        await process.WaitForExitAsync();
        document.ShouldContain("<body", Case.Sensitive, $"The browser showed nothing (exit code {process.ExitCode}): {await errors}");
        return document;
    }

    [GeneratedRegex("<meta http-equiv=\"Content-Security-Policy\"[^>]*>")]
    private static partial Regex Policy();

    [GeneratedRegex("data-answer=\"([^\"]*)\"")]
    private static partial Regex Answer();
}
